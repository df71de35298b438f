//! What one upload costs the index: inserting a version, with a reader that holds the index of before.

mod support;

use std::hint::black_box;

use chartroom::index::Index;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use support::Shape;

fn insert(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index_insert");
    group.sample_size(30);
    for shape in Shape::ALL {
        for count in [1_000, 10_000, 100_000] {
            let mut entries = support::entries(shape, count);
            // From the middle, so that it goes back where blocks are full on both sides.
            let (entry, tie) = entries.remove(count / 2 + 50);
            let index = Index::from_entries(entries);
            group.bench_function(BenchmarkId::new(shape.label(), count), |bencher| {
                bencher.iter_batched(
                    || index.clone(),
                    |mut index| {
                        index.insert(black_box(&entry), &tie);
                        index
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, insert);
criterion_main!(benches);
