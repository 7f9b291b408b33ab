//! The page as PDF, by whatever browser of the Chromium family is there.

use crate::Result;
use crate::error::{Context as _, refuse};
use std::path::Path;
use std::process::{Command, Stdio};

const BROWSERS: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Prints an HTML file.
///
/// # Errors
/// Without a browser, or when it fails; the page itself is written then.
pub fn print(page: &Path, pdf: &Path) -> Result<()> {
    let page = fs_err::canonicalize(page)?;
    let folder = fs_err::canonicalize(sorby_image::parent_of(pdf))?;
    // The browser writes next to the page under another name; a page half printed is never taken for a whole one.
    let partial = folder.join(format!(".partial-{}.pdf", std::process::id()));
    // A profile of its own: one that is in use makes the browser hand over to the running one and return.
    let profile = std::env::temp_dir().join(format!("sorby-browser-{}", std::process::id()));
    for browser in BROWSERS {
        let started = Command::new(browser)
            .args([
                "--headless",
                "--disable-gpu",
                "--no-sandbox",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args(["--disable-component-update", "--disable-sync", "--no-pdf-header-footer"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--print-to-pdf={}", partial.display()))
            .arg(format!("file://{}", page.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let Ok(status) = started else { continue };
        // What the browser leaves behind is of no use; a folder that cannot be removed does no harm.
        let _ = fs_err::remove_dir_all(&profile);
        if !status.success() || !partial.is_file() {
            refuse!("{browser} could not print {} ({status}); print it from any browser", page.display());
        }
        return fs_err::rename(&partial, folder.join(pdf.file_name().context("a file name")?))
            .map_err(crate::Error::from);
    }
    refuse!(
        "--pdf: no Chromium, Chrome or Edge is found; open {} in any browser and print it",
        page.display()
    )
}
