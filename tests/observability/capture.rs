//! The log of the process: each line with the spans that it stands in, and the fields of each kind of span.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{LazyLock, Mutex};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, SubscriberExt};

static LINES: Mutex<String> = Mutex::new(String::new());
static SPANS: Mutex<BTreeMap<&str, BTreeSet<&str>>> = Mutex::new(BTreeMap::new());

/// The subscriber, once for the process.
static SUBSCRIBER: LazyLock<()> = LazyLock::new(|| {
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Writer).with_ansi(false).without_time();
    let lines = lines.with_span_events(FmtSpan::CLOSE);
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(lines).with(SpanFields);
    tracing::subscriber::set_global_default(subscriber).unwrap();
});

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().push_str(str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct SpanFields;

impl<S: Subscriber> Layer<S> for SpanFields {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let fields = attributes.metadata().fields().iter().map(|field| field.name());
        SPANS.lock().unwrap().entry(attributes.metadata().name()).or_default().extend(fields);
    }
}

/// Begins to record. What other tests log is recorded too.
pub(crate) fn start() {
    LazyLock::force(&SUBSCRIBER);
}

/// Returns the lines that contain all of these texts.
pub(crate) fn lines(texts: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    let is_wanted = |line: &&str| texts.iter().all(|text| line.contains(text));
    lines.lines().filter(is_wanted).map(str::to_owned).collect()
}

/// Returns the fields of the spans of the library, by name.
pub(crate) fn span_fields() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut spans = SPANS.lock().unwrap().clone();
    spans.retain(|name, _| name.starts_with("portcullis"));
    spans
}
