//! From flags to the options of the library.

use super::*;
use sorby::bench::{BenchOptions, BenchWork as Work};
use sorby::data::ExportFormat as Format;
use sorby::job::{ClassRules, LengthUnit, NewJob};
use sorby::lot::{LotOptions, Revises};
use sorby::masks::CodingOptions;
use sorby::measure::{Edges, Export, MeasureOptions};
use sorby::scale::ScaleOptions;
use sorby::study::StudyOptions;
use sorby::threshold::ThresholdOptions;
use sorby::{DeviceCheckOptions, DeviceOptions, InferenceSettings, Paper, Part, SegmentOptions};

impl DeviceArg {
    pub fn options(&self) -> DeviceOptions {
        DeviceOptions { name: self.device.clone(), stock_operations: self.stock_operations }
    }
}

impl InferenceArgs {
    pub fn settings(&self) -> InferenceSettings {
        InferenceSettings {
            window_px: self.window,
            stride_px: self.stride,
            tta: self.tta,
            flip: self.flip,
            adapt: false,
            ensemble: Vec::new(),
            device: self.device.options(),
        }
    }
}

impl AdaptableInferenceArgs {
    pub fn settings(&self) -> InferenceSettings {
        let ensemble = self.ensemble.clone();
        InferenceSettings { adapt: self.adapt, ensemble, ..self.inference.settings() }
    }
}

impl GivenScale {
    pub fn options(&self) -> ScaleOptions {
        ScaleOptions {
            nm_per_px: self.nm_per_px,
            bar_nm: self.bar_nm,
            no_data_bar: self.no_data_bar,
            data: self.data.clone(),
        }
    }
}

impl CodingArgs {
    pub fn options(&self) -> CodingOptions {
        CodingOptions { values: self.values.clone(), instances: self.instances }
    }
}

impl SegmentArgs {
    pub fn options(&self) -> SegmentOptions {
        SegmentOptions {
            inference: self.inference.settings(),
            scale: self.scale.options(),
            add: self.add,
            put_aside: self.put_aside.clone(),
            tiff: self.tiff,
            match_scale: self.match_scale,
            probabilities: self.probabilities,
            part: self.part.part(),
        }
    }
}

impl PartArgs {
    pub fn part(&self) -> Part {
        match (self.shard, self.merge) {
            (Some(shard), _) => Part::Shard(shard),
            (None, Some(0)) => Part::Merge(None),
            (None, Some(count)) => Part::Merge(Some(count)),
            (None, None) => Part::All,
        }
    }
}

impl MeasureArgs {
    pub fn options(&self) -> MeasureOptions {
        MeasureOptions {
            class: self.class.clone(),
            coding: self.coding.options(),
            data: self.data.clone(),
            nm_per_px: self.nm_per_px,
            truth: self.truth.clone(),
            connectivity: self.connectivity,
            min_area_px: self.min_area_px,
            exclude_edge: self.exclude_edge,
            edges: self.edges.into(),
            split_depth_px: self.split,
            calibration: self.calibration.clone(),
            scale_accuracy_percent: self.scale_accuracy,
            plan_percent: self.plan,
            grains: self.grains,
            spheres: self.spheres.map(usize::from),
            images: self.images.clone(),
            probabilities: self.probabilities.clone(),
            export: self.export.iter().map(|e| (*e).into()).collect(),
            licence: self.licence.clone(),
        }
    }
}

impl NewJobArgs {
    pub fn options(self) -> NewJob {
        let edges: Edges = self.edges.into();
        let rules = ClassRules {
            smallest_px: self.min_area_px,
            connectivity: self.connectivity.unwrap_or(if self.grains { 4 } else { 8 }),
            edges: edges.name().to_owned(),
            split_px: self.split,
            grains: self.grains,
            ..ClassRules::of_class("")
        };
        NewJob {
            model: self.model,
            name: self.name,
            inference: self.inference.settings(),
            match_scale: self.match_scale,
            without_scale: self.without_scale,
            nm_per_px: self.nm_per_px,
            pixel_sizes: self.pixel_sizes,
            scale_accuracy_percent: self.scale_accuracy,
            no_data_bar: self.no_data_bar,
            fields: self.fields.into(),
            accuracy_percent: self.accuracy,
            classes: self.classes,
            rules,
            limits: self.limits,
            calibration: self.calibration,
            length_unit: match self.unit {
                UnitArg::Nm => LengthUnit::Nm,
                UnitArg::Um => LengthUnit::Um,
                UnitArg::Auto => LengthUnit::Auto,
            },
            paper: self.paper.into(),
            header: self.header.into_iter().collect(),
            required: self.required,
        }
    }
}

impl RunArgs {
    pub fn options(&self) -> LotOptions {
        let revises = self.revises.clone().zip(self.reason.clone());
        LotOptions {
            images: self.images.clone(),
            header: self.header.iter().cloned().collect(),
            report_number: self.report_number.clone(),
            revises: revises.map(|(lot, reason)| Revises { lot, reason }),
            pdf: self.pdf.iter().map(|p| (*p).into()).collect(),
            licence: self.licence.clone(),
            device: self.device.options(),
            part: self.part.part(),
        }
    }
}

impl From<PaperArg> for Paper {
    fn from(paper: PaperArg) -> Self {
        match paper {
            PaperArg::A4 => Self::A4,
            PaperArg::Letter => Self::Letter,
        }
    }
}

impl study::StudyPlanArgs {
    /// `out`: folder of the study, where it is not the usual one.
    pub fn options(&self, out: Option<PathBuf>, jobs: usize, threads_per_job: usize) -> StudyOptions {
        let name = || PathBuf::from("studies").join(sorby::listing::stem(&self.spec));
        StudyOptions {
            root: out.unwrap_or_else(name),
            data: self.data.clone(),
            budget_s: self.budget,
            device: self.device.options(),
            jobs,
            threads_per_job,
            require_simd: None,
        }
    }
}

impl ThresholdArgs {
    pub fn options(&self) -> ThresholdOptions {
        ThresholdOptions {
            truth: self.truth.clone(),
            masks: self.masks.clone(),
            coding: self.coding.options(),
            window_px: self.window.map(usize::from),
            scale: self.scale.options(),
        }
    }
}

impl BenchArgs {
    /// `None` for `bench measure`, which has options of its own.
    pub fn options(&self) -> Option<BenchOptions> {
        let work = match self.work {
            BenchWork::Train => Work::Train,
            BenchWork::Infer => Work::Infer,
            BenchWork::Image => Work::Image,
            BenchWork::Gemm => Work::Gemm,
            BenchWork::Measure => return None,
        };
        Some(BenchOptions {
            work,
            arch: self.arch.into(),
            batch: self.batch.into(),
            crop_px: self.crop.into(),
            size_px: self.size,
            repeats: self.repeats.into(),
            device: self.device.options(),
        })
    }
}

impl SystemArgs {
    /// `None` where no device is to be checked.
    pub fn options(&self) -> Option<DeviceCheckOptions> {
        let name = self.device.clone()?;
        let both = [BenchArch::DeepLabV3Plus, BenchArch::PspNet];
        let networks = self.arch.map_or(both.to_vec(), |arch| vec![arch]);
        Some(DeviceCheckOptions {
            device: DeviceOptions { name, stock_operations: false },
            networks: networks.into_iter().map(Into::into).collect(),
            batch: self.batch.into(),
            crop_px: self.crop.into(),
        })
    }
}

impl From<BenchArch> for sorby_nn::Arch {
    fn from(arch: BenchArch) -> Self {
        match arch {
            BenchArch::DeepLabV3Plus => Self::DeepLabV3Plus,
            BenchArch::PspNet => Self::PspNet,
        }
    }
}

impl From<EdgeArg> for Edges {
    fn from(edges: EdgeArg) -> Self {
        match edges {
            EdgeArg::Weighted => Self::Weighted,
            EdgeArg::Frame => Self::Frame,
            EdgeArg::Exclude => Self::Exclude,
            EdgeArg::All => Self::All,
        }
    }
}

impl From<ExportArg> for Export {
    fn from(export: ExportArg) -> Self {
        match export {
            ExportArg::Parquet => Self::Parquet,
            ExportArg::Roi => Self::Roi,
            ExportArg::Geojson => Self::Geojson,
            ExportArg::Tiff => Self::Tiff,
            ExportArg::Datapackage => Self::Datapackage,
        }
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Coco => Self::Coco,
            ExportFormat::Png => Self::Png,
            ExportFormat::Nnunet => Self::NnUnet,
        }
    }
}
