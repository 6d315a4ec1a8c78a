//! The figures in Prometheus' text form, made anew at each scrape from a copy of what the state counts. Names and help
//! stand here; what is counted and how, in `figures`. Every name begins with `gemini_aggregator_`.
//!
//! Invariant: series are bounded: keys and ways in `sample`, models and quotas in `figures::capped`, all other labels are
//! words from a fixed set. Labels are ids and names, never a key, URL or path.

mod host;
mod sample;
mod traffic;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::figures::histogram::Histogram;
use crate::state::State;
use host::OfHost;
pub use host::{HostFigure, HostFigures, Kind};
use sample::{Sample, Series};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything, as one text; takes the pools' lock for as long as copying the figures takes.
pub fn text(state: &State) -> Result<String, fmt::Error> {
    let sample = Sample::take(state);
    let mut registry = Registry::default();
    // Their names are the host's own, some of them standard ones.
    registry
        .register_collector(Box::new(OfHost(state.host.get().map(|figures| figures()).unwrap_or_default())));
    registry.sub_registry_with_prefix("gemini_aggregator").register_collector(Box::new(sample));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

type Labels<'a> = [(&'static str, &'a str); 2];

impl Collector for Sample {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let out = &mut encoder;
        gauge(
            out,
            "build_info",
            "Always 1; the version is its label.",
            [([("version", self.version)], 1.0)],
        )?;
        series(out, &Family { prefix: "key", of: "an API key", label: "key" }, &self.keys)?;
        gauge(
            out,
            "key_available",
            "1 while the key may serve, whatever the model.",
            self.keys.iter().map(|one| (named("key", one), f64::from(u8::from(one.serves)))),
        )?;
        gauge(
            out,
            "key_circuit",
            "The key's circuit: 0 closed, 1 half-open (one request tries it), 2 open.",
            self.keys.iter().map(|one| (named("key", one), f64::from(one.circuit))),
        )?;
        counter(
            out,
            "key_direct_requests",
            "Requests that went direct although the key has a proxy: none worked, and you allowed it.",
            self.keys.iter().map(|one| (named("key", one), one.direct)),
        )?;
        series(
            out,
            &Family { prefix: "proxy", of: "a proxy (or rotating, or direct)", label: "proxy" },
            &self.ways,
        )?;
        gauge(
            out,
            "proxy_up",
            "1 while the proxy works and is enabled.",
            self.ways.iter().map(|one| (named("proxy", one), f64::from(u8::from(one.serves)))),
        )?;
        gauge(
            out,
            "proxy_assigned_keys",
            "Keys assigned to the proxy.",
            self.ways.iter().map(|one| (named("proxy", one), f64::from(one.assigned))),
        )?;
        self.balance(out)?;
        self.states(out)?;
        self.requests(out)?;
        self.models(out)?;
        self.attempts(out)?;
        self.events(out)?;
        gauge(
            out,
            "held_bytes",
            "About how many bytes each structure of the core holds.",
            self.held.named().map(|(what, bytes)| ([("structure", what)], bytes as f64)),
        )
    }
}

impl Sample {
    fn balance(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let balance = &self.balance;
        let gauges = [
            (
                "balance_spread_keys",
                "Keys on the most loaded working proxy less those on the least loaded.",
                f64::from(balance.spread.keys),
            ),
            (
                "balance_spread_requests",
                "Requests in flight on the most loaded working proxy less those on the least loaded.",
                f64::from(balance.spread.requests),
            ),
            (
                "balance_moves_last_hour",
                "Keys that changed their proxy within the last hour.",
                balance.moves_last_hour as f64,
            ),
        ];
        for (name, help, value) in gauges {
            gauge(out, name, help, [([("", ""); 0], value)])?;
        }
        let none = [("", ""); 0];
        counter(
            out,
            "balance_moves",
            "Keys that changed their proxy since the start.",
            [(none, balance.moves)],
        )?;
        let help = "Requests that went direct although their key has a proxy, of all keys.";
        counter(out, "direct_requests", help, [(none, self.direct_requests)])
    }
}

/// What the names, helps and labels of one kind of series begin with.
struct Family {
    prefix: &'static str,
    of: &'static str,
    label: &'static str,
}

/// What keys and proxies have in common.
fn series(out: &mut DescriptorEncoder<'_>, family: &Family, all: &[Series]) -> fmt::Result {
    let Family { prefix, of, label } = family;
    let name = |what: &str| format!("{prefix}_{what}");
    let help = |what: &str| format!("{what}, for {of}.");
    let outcomes = all.iter().flat_map(|one| {
        let [id, name] = named(label, one);
        one.outcomes.named().map(|(outcome, count)| ([id, name, ("outcome", outcome)], count))
    });
    counter(out, &name("attempts"), &help("Attempts that ended, by what ended them"), outcomes)?;
    let bytes = all.iter().flat_map(|one| {
        let [id, name] = named(label, one);
        [("sent", one.meter.sent), ("received", one.meter.received)]
            .map(|(direction, bytes)| ([id, name, ("direction", direction)], bytes))
    });
    counter(out, &name("bytes"), &help("Bytes through the sockets, TLS and probes included"), bytes)?;
    let each = |value: fn(&Series) -> u64| all.iter().map(move |one| (named(label, one), value(one)));
    counter(out, &name("tunnels_opened"), &help("Connections made"), each(|one| one.meter.opened))?;
    let reused = help("Requests that found a connection open");
    counter(out, &name("tunnels_reused"), &reused, each(|one| one.meter.reused))?;
    let in_flight = all.iter().map(|one| (named(label, one), f64::from(one.in_flight)));
    gauge(out, &name("requests_in_flight"), &help("Requests under way"), in_flight)?;
    let rates = all.iter().filter_map(|one| Some((named(label, one), one.error_rate?)));
    gauge(
        out,
        &name("error_ratio"),
        &help("The part of the attempts of the last five minutes that failed by its fault"),
        rates,
    )?;
    histograms(
        out,
        &name("answer_seconds"),
        &help("From an attempt to the beginning of its answer"),
        label,
        all,
    )
}

fn named<'a>(label: &'static str, one: &'a Series) -> Labels<'a> {
    [(label, one.id.as_str()), ("name", one.name.as_str())]
}

fn counter<L: EncodeLabelSet>(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (L, u64)>,
) -> fmt::Result {
    let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    values
        .into_iter()
        .try_for_each(|(labels, value)| ConstCounter::new(value).encode(labelled(&mut family, &labels)?))
}

fn gauge<L: EncodeLabelSet>(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (L, f64)>,
) -> fmt::Result {
    let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    values
        .into_iter()
        .try_for_each(|(labels, value)| ConstGauge::new(value).encode(labelled(&mut family, &labels)?))
}

fn histograms(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &'static str,
    all: &[Series],
) -> fmt::Result {
    histogram(out, name, help, all.iter().map(|one| (named(label, one), &one.latency)))
}

fn histogram<'h, L: EncodeLabelSet>(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (L, &'h Histogram)>,
) -> fmt::Result {
    let mut family = out.encode_descriptor(name, help, None, MetricType::Histogram)?;
    values.into_iter().try_for_each(|(labels, one)| {
        let buckets: Vec<(f64, u64)> = one.buckets().collect();
        let (sum, count) = (one.sum(), one.count());
        labelled(&mut family, &labels)?.encode_histogram::<Labels<'_>>(sum, count, &buckets, None)
    })
}

fn labelled<'s, L: EncodeLabelSet>(
    family: &'s mut MetricEncoder<'_>,
    labels: &'s L,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    family.encode_family(labels)
}

#[cfg(test)]
mod tests;
