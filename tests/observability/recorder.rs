//! A recorder of metrics that remembers what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// The values of one series: the sum of a counter, the value of a gauge, the observations of a histogram.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Values {
    pub(crate) kind: &'static str,
    pub(crate) value: f64,
    pub(crate) observations: Vec<f64>,
}

/// Name and labels, sorted.
pub(crate) type SeriesKey = (String, BTreeMap<String, String>);

/// The kind and the unit of each metric that was described.
type Descriptions = BTreeMap<String, (&'static str, Option<Unit>)>;

#[derive(Clone, Default)]
pub(crate) struct Recording {
    series: Arc<Mutex<BTreeMap<SeriesKey, Arc<Mutex<Values>>>>>,
    /// Kind and unit of each metric that was described.
    described: Arc<Mutex<Descriptions>>,
}

struct Series(Arc<Mutex<Values>>);

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.0.lock().unwrap().value += f64::from(u32::try_from(value).unwrap());
    }

    fn absolute(&self, _: u64) {
        unimplemented!("not used")
    }
}

impl GaugeFn for Series {
    fn increment(&self, value: f64) {
        self.0.lock().unwrap().value += value;
    }

    fn decrement(&self, value: f64) {
        self.0.lock().unwrap().value -= value;
    }

    fn set(&self, value: f64) {
        self.0.lock().unwrap().value = value;
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().observations.push(value);
    }
}

impl Recording {
    fn register(&self, key: &Key, kind: &'static str) -> Arc<Series> {
        let labels = key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        let mut series = self.series.lock().unwrap();
        let values = series.entry((key.name().to_owned(), labels)).or_default();
        values.lock().unwrap().kind = kind;
        Arc::new(Series(values.clone()))
    }

    fn describe(&self, key: &KeyName, kind: &'static str, unit: Option<Unit>, description: &str) {
        assert!(!description.is_empty());
        self.described.lock().unwrap().insert(key.as_str().to_owned(), (kind, unit));
    }

    /// Returns all series that have recorded something, with their values.
    pub(crate) fn series(&self) -> BTreeMap<SeriesKey, Values> {
        let series = self.series.lock().unwrap();
        series.iter().map(|(key, values)| (key.clone(), values.lock().unwrap().clone())).collect()
    }

    /// Returns the values of one series. `labels` are written as `a=b,c=d`.
    #[track_caller]
    pub(crate) fn get(&self, name: &str, labels: &str) -> Values {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let labels = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let series = self.series();
        let key = (name.to_owned(), labels);
        series.get(&key).cloned().unwrap_or_else(|| panic!("{key:?} is not in {series:#?}"))
    }

    /// Returns kind and labels of each metric of which a series exists.
    pub(crate) fn metrics(&self) -> BTreeMap<String, (String, BTreeSet<String>)> {
        let mut metrics = BTreeMap::new();
        for ((name, labels), values) in self.series() {
            let labels: BTreeSet<String> = labels.into_keys().collect();
            let (_, known) = metrics.entry(name.clone()).or_insert_with(|| (values.kind.to_owned(), labels.clone()));
            assert_eq!(*known, labels, "{name} has different labels");
        }
        metrics
    }

    /// Returns kind and unit of each metric that was described.
    pub(crate) fn described(&self) -> BTreeMap<String, (&'static str, Option<Unit>)> {
        self.described.lock().unwrap().clone()
    }
}

impl Recorder for Recording {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, "counter", unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, "gauge", unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, "histogram", unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.register(key, "counter"))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.register(key, "gauge"))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.register(key, "histogram"))
    }
}
