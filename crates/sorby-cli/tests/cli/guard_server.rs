//! Attacks on `sorby serve`: each test does one, with its variants.
#![cfg(unix)]

mod entry;
mod ground;
mod inside;
mod limits;
mod rights;
mod storm;
mod work;
mod writers;

use crate::serve::Server;
use std::path::PathBuf;

/// An image of the project as the file system has it.
fn image_file(server: &Server, name: &str) -> PathBuf {
    server.steel().join("images").join(format!("{name}.png"))
}

fn label_file(server: &Server, name: &str) -> PathBuf {
    server.steel().join("labels").join(format!("{name}.png"))
}

/// Bytes of a grey PNG.
fn grey_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::GrayImage::from_raw(width, height, pixels.to_vec()).unwrap();
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Waits until a condition holds; for what other processes do.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..1200 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{what}");
}
