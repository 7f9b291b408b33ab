//! The sweep next to its definition: every pixel in turn, every neighbour asked.

use super::*;
use proptest::prelude::*;

/// Areas by flooding, without any union-find: slow and plain. Objects of `pixel > threshold`.
fn flooded(pixels: &[u8], width: usize, threshold: u8) -> Vec<u32> {
    let height = pixels.len() / width;
    let mut left: Vec<bool> = pixels.iter().map(|&v| v > threshold).collect();
    let mut areas = Vec::new();
    for start in 0..left.len() {
        let (mut front, mut area) = (vec![start], 0);
        while let Some(i) = front.pop() {
            if !std::mem::take(&mut left[i]) {
                continue;
            }
            area += 1;
            let (x, y) = (i % width, i / width);
            for (nx, ny) in
                (x.saturating_sub(1)..=x + 1).flat_map(|x| (y.saturating_sub(1)..=y + 1).map(move |y| (x, y)))
            {
                if nx < width && ny < height {
                    front.push(ny * width + nx);
                }
            }
        }
        if area > 0 {
            areas.push(area);
        }
    }
    areas
}

/// All neighbours of every pixel in turn, as the sweep was first written.
fn one_by_one(pixels: &[u8], width: usize) -> Sweep {
    let height = pixels.len() / width;
    let mut order: Vec<usize> = (0..pixels.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(pixels[i]));
    let (mut link, mut objects, mut sum) = (vec![ABSENT; pixels.len()], 0u32, 0.0);
    let mut out = Sweep { counts: vec![0; 256], mean_radii_px: vec![None; 256] };
    let mut order = order.into_iter().peekable();
    for threshold in (0..256usize).rev() {
        while let Some(i) = order.next_if(|&i| usize::from(pixels[i]) > threshold) {
            link[i] = -1;
            let (x, y) = (i as isize % width as isize, i as isize / width as isize);
            let (mut own, mut area, mut gone) = (i, 1, 0.0);
            objects += 1;
            for (dx, dy) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
                let (nx, ny) = (x + dx, y + dy);
                if !(0..width as isize).contains(&nx) || !(0..height as isize).contains(&ny) {
                    continue;
                }
                let mut other = ny as usize * width + nx as usize;
                if link[other] == ABSENT {
                    continue;
                }
                while link[other] >= 0 {
                    other = link[other] as usize;
                }
                if other == own {
                    continue;
                }
                let added = -link[other];
                gone += f64::from(added).sqrt();
                objects -= 1;
                let (into, from) = if added > area { (other, own) } else { (own, other) };
                link[from] = into as i32;
                own = into;
                area += added;
                link[own] = -area;
            }
            sum += f64::from(area).sqrt() - gone;
        }
        out.counts[threshold] = objects;
        if objects > 0 {
            out.mean_radii_px[threshold] = Some(sum / f64::from(objects) / std::f64::consts::PI.sqrt());
        }
    }
    out
}

const ABSENT: i32 = growing::ABSENT;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// To the last bit, for few and many grey levels, and for images of more rows than a band.
    #[test]
    fn the_sweep_is_that_of_single_steps(w in 1usize..40, h in 1usize..160, levels in 1u8..=255, seed in any::<u64>()) {
        let mut state = seed | 1;
        let pixels: Vec<u8> = (0..w * h).map(|_| {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            255 - (state >> 32) as u8 % levels
        }).collect();
        let (got, want) = (sweep(&pixels, w, h), one_by_one(&pixels, w));
        prop_assert_eq!(&got.counts, &want.counts);
        let bits = |s: &Sweep| s.mean_radii_px.iter().map(|r| r.map(f64::to_bits)).collect::<Vec<_>>();
        prop_assert_eq!(bits(&got), bits(&want));
    }

    #[test]
    fn objects_are_those_of_a_flood(w in 1usize..20, h in 1usize..20, threshold in any::<u8>(), seed in any::<u64>()) {
        let mut state = seed | 1;
        let pixels: Vec<u8> = (0..w * h).map(|_| {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            (state >> 32) as u8
        }).collect();
        let (got, areas) = (sweep(&pixels, w, h), flooded(&pixels, w, threshold));
        prop_assert_eq!(got.counts[usize::from(threshold)] as usize, areas.len());
        if !areas.is_empty() {
            let mean = areas.iter().map(|&a| (f64::from(a) / std::f64::consts::PI).sqrt()).sum::<f64>() / areas.len() as f64;
            prop_assert!((got.mean_radii_px[usize::from(threshold)].unwrap() - mean).abs() < 1e-9);
        }
    }
}

#[test]
fn an_image_without_pixels_has_no_objects() {
    for (w, h) in [(0, 0), (0, 5), (5, 0)] {
        assert!(sweep(&[], w, h).counts.iter().all(|&n| n == 0));
    }
}
