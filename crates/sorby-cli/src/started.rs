//! What the library starts as a process of the program is what the parser of the program understands.

use crate::args::{Args, Command as Verb};
use clap::Parser as _;
use sorby::DeviceOptions;
use sorby::study::{TrainingJob, task_arguments, training_arguments};
use std::ffi::OsString;

#[test]
fn the_command_line_says_what_the_job_says() {
    for (resume, stock_operations) in [(false, false), (true, true)] {
        let job = TrainingJob {
            recipe: "/s/recipes/-h.toml".into(),
            run: "/s/runs/-h".into(),
            resume,
            data: "/s/dataset.toml".into(),
            device: DeviceOptions { name: "vulkan".into(), stock_operations },
            threads: 3,
            log: "/s/logs/-h.txt".into(),
            failure: "/s/failures/-h.json".into(),
        };
        let line = std::iter::once(OsString::from("sorby")).chain(training_arguments(&job));
        let parsed = Args::try_parse_from(line).unwrap();
        assert_eq!(parsed.threads, Some(3));
        let Verb::Train(train) = parsed.command else { panic!("another verb") };
        assert!(train.stop_with_parent && train.looked);
        assert_eq!(train.data, Some(job.data.clone()));
        assert_eq!(train.resume, resume.then(|| job.run.clone()));
        assert_eq!(
            (train.recipe, train.out),
            if resume { (None, None) } else { (Some(job.recipe.clone()), Some(job.run.clone())) }
        );
        assert_eq!(train.device.options(), job.device);

        let line = std::iter::once(OsString::from("sorby")).chain(task_arguments(&job, 75, Some("avx2")));
        let parsed = Args::try_parse_from(line).unwrap();
        assert_eq!((parsed.threads, parsed.exit_code_for_more), (Some(3), Some(75)));
        let Verb::Train(train) = parsed.command else { panic!("another verb") };
        // Nobody's child: its standard input may be closed from the start.
        assert!(train.go_on && train.looked && !train.stop_with_parent);
        assert_eq!(train.simd.require_simd.as_deref(), Some("avx2"));
        assert_eq!(train.note_failure, Some(job.failure));
        assert_eq!((train.recipe, train.out, train.data), (Some(job.recipe), Some(job.run), Some(job.data)));
        assert_eq!(train.device.options(), job.device);
    }
}
