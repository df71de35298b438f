//! Comparing versions and names, which every insertion and every sort does.

use std::hint::black_box;

use chartroom::chart::ChartVersion;
use chartroom::index::order;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn versions(count: usize) -> Vec<ChartVersion> {
    // A fixed, shuffled sequence: 7919 is prime and does not divide the count.
    let number = |position: usize| position * 7919 % count;
    let text = |number: usize| match number % 4 {
        0 => format!("{}.{}.{number}-rc.{}", number % 9, number % 30, number % 7),
        1 => format!("v{}.{}.{number}", number % 9, number % 30),
        _ => format!("{}.{}.{number}", number % 9, number % 30),
    };
    (0..count)
        .filter_map(|position| text(number(position)).parse().ok())
        .collect()
}

fn order(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("version_order");
    let unsorted = versions(10_000);
    group.bench_function("sort 10000 versions", |bencher| {
        bencher.iter_batched(
            || unsorted.clone(),
            |mut versions| {
                versions.sort();
                versions
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("parse a version", |bencher| {
        bencher.iter(|| black_box("v10.20.30-rc.1+build.5").parse::<ChartVersion>());
    });
    group.bench_function("compare two names", |bencher| {
        bencher.iter(|| order::natural(black_box("application-12"), black_box("application-112")));
    });
    group.finish();
}

criterion_group!(benches, order);
criterion_main!(benches);
