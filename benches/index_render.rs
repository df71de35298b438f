//! What an index costs as a whole: making it, handing out a body, and compressing it after an upload.

mod support;

use std::hint::black_box;

use chartroom::index::{Format, Index};
use chrono::DateTime;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use support::Shape;

fn from_entries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index_from_entries");
    group.sample_size(10);
    for shape in Shape::ALL {
        for count in [1_000, 10_000] {
            let entries = support::entries(shape, count);
            group.bench_function(BenchmarkId::new(shape.label(), count), |bencher| {
                bencher.iter_batched(
                    || entries.clone(),
                    |entries| Index::from_entries(black_box(entries)),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn body(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index_body");
    group.sample_size(30);
    let generated = DateTime::default();
    for count in [1_000, 10_000, 100_000] {
        let mut entries = support::entries(Shape::Spread, count);
        let (entry, tie) = entries.remove(count / 2 + 50);
        let index = Index::from_entries(entries);
        group.bench_function(BenchmarkId::new("chunks", count), |bencher| {
            bencher.iter(|| {
                let body = index.body(Format::Yaml, black_box(&generated), None);
                body.chunks().map(|chunk| chunk.len()).sum::<usize>()
            });
        });
        // All other blocks are compressed, and stay so.
        let _ = index.body(Format::Yaml, &generated, None).gzip();
        group.bench_function(
            BenchmarkId::new("gzip after one insert", count),
            |bencher| {
                bencher.iter_batched(
                    || {
                        let mut index = index.clone();
                        index.insert(&entry, &tie);
                        index
                    },
                    |index| index.body(Format::Yaml, &generated, None).gzip(),
                    BatchSize::SmallInput,
                );
            },
        );
    }
    group.finish();
}

criterion_group!(benches, from_entries, body);
criterion_main!(benches);
