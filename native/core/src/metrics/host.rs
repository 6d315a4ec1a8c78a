//! What only the program around the core can count (its log, its process): given as plain figures, under full names of
//! the host's choosing, and written as they are. The core knows nothing of what they mean.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Asked at each scrape.
pub type HostFigures = Box<dyn Fn() -> Vec<HostFigure> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostFigure {
    /// Whole; a counter's without its `_total`.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
}

#[derive(Debug)]
pub(super) struct OfHost(pub Vec<HostFigure>);

impl Collector for OfHost {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|one| match one.kind {
            Kind::Counter => {
                let metric = encoder.encode_descriptor(one.name, one.help, None, MetricType::Counter)?;
                ConstCounter::new(one.value).encode(metric)
            }
            Kind::Gauge => {
                let metric = encoder.encode_descriptor(one.name, one.help, None, MetricType::Gauge)?;
                ConstGauge::new(one.value).encode(metric)
            }
        })
    }
}
