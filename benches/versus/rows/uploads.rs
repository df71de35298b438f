//! Uploads to a repository of the usual size.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::task::JoinSet;

use crate::client::{Client, missing};
use crate::corpus::Chart;
use crate::figures::{Figure, Unit, digits};
use crate::plot::Point;
use crate::stage::{Program, Stage};
use crate::table::{Line, Mark};

/// How often programs take turns.
const ROUNDS: usize = 5;

/// How long a turn of one client may last.
const TURN: Duration = Duration::from_secs(10);

/// One client uploads, one archive after the other.
pub(super) async fn one_client(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let mut times = [Vec::new(), Vec::new()];
    let mut cpus = [0.0, 0.0];
    for _ in 0..ROUNDS {
        for program in stage.programs() {
            let url = stage.server(program).await?;
            let (count, place) = match program {
                Program::Chartroom => (40, 0),
                Program::ChartMuseum => (4, 1),
            };
            let charts = stage.news(program, count);
            let before = stage.cpu(program);
            let end = Instant::now() + TURN;
            for chart in charts {
                times[place].push(stage.client.publish(&url, &chart).await?);
                if Instant::now() > end {
                    break;
                }
            }
            cpus[place] += stage.cpu(program) - before;
        }
    }
    let each = |place: usize| {
        let count = times[place].len();
        (count > 0).then(|| Figure::one(Unit::Seconds, cpus[place] / count as f64))
    };
    let cpu = Line::new("its time on processors", each(0))
        .beside("ChartMuseum", each(1))
        .smaller_by(Mark::None);
    let [ours, theirs] = times;
    let [ours, theirs] = [Figure::of_times(&ours), Figure::of_times(&theirs)];
    for (program, figure) in [(Program::Chartroom, ours), (Program::ChartMuseum, theirs)] {
        stage.points.extend(figure.map(|figure| Point {
            program,
            versions: stage.size,
            seconds: figure.median,
        }));
    }
    let line = Line::new(
        format!("upload at {} versions, one client", stage.size),
        ours,
    );
    Ok(vec![
        line.beside("ChartMuseum", theirs)
            .smaller_by(Mark::AtLeast(500.0)),
        cpu,
    ])
}

/// What came of uploads by many clients.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) took: Duration,
    pub(super) acknowledged: Vec<Chart>,
    /// Answered, but not with 201.
    pub(super) refused: usize,
    /// Of those, with 503 and `Retry-After`.
    pub(super) told_to_come_back: usize,
    /// Not answered at all.
    pub(super) dropped: usize,
}

/// Uploads all charts, each by the next client that is free, until `end`.
pub(super) async fn upload_all(
    client: &Client,
    url: &str,
    charts: Vec<Chart>,
    clients: usize,
    end: Instant,
) -> anyhow::Result<Outcome> {
    let charts = Arc::new(charts);
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (charts, next) = (Arc::clone(&charts), Arc::clone(&next));
        let (client, url) = (client.clone(), url.to_owned());
        running.spawn(async move {
            let mut outcome = Outcome::default();
            while Instant::now() < end
                && let Some(chart) = charts.get(next.fetch_add(1, Ordering::Relaxed))
            {
                match client.upload(&url, chart).await {
                    Ok(reply) if reply.status == StatusCode::CREATED => {
                        outcome.acknowledged.push(chart.clone());
                    }
                    Ok(reply) => {
                        outcome.refused += 1;
                        let later = reply.status == StatusCode::SERVICE_UNAVAILABLE
                            && reply.headers.contains_key("retry-after");
                        outcome.told_to_come_back += usize::from(later);
                    }
                    Err(_) => outcome.dropped += 1,
                }
            }
            outcome
        });
    }
    let mut sum = Outcome::default();
    while let Some(one) = running.join_next().await {
        let one = one?;
        sum.acknowledged.extend(one.acknowledged);
        sum.refused += one.refused;
        sum.told_to_come_back += one.told_to_come_back;
        sum.dropped += one.dropped;
    }
    sum.took = begin.elapsed();
    Ok(sum)
}

/// Sixteen clients upload at the same time.
pub(super) async fn sixteen_clients(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let mut ours = Tally::default();
    let mut theirs = Tally::default();
    for round in 0..ROUNDS {
        let url = stage.server(Program::Chartroom).await?;
        let charts = stage.news(Program::Chartroom, 400);
        ours.upload(&stage.client, &url, charts, Duration::from_mins(1))
            .await?;
        // A round of its takes a minute.
        if round == 0 && stage.has_chartmuseum() {
            let url = stage.server(Program::ChartMuseum).await?;
            let charts = stage.news(Program::ChartMuseum, 400);
            theirs
                .upload(&stage.client, &url, charts, Duration::from_secs(45))
                .await?;
        }
    }
    let size = stage.size;
    let rates = Line::new(
        format!("uploads by 16 clients at {size} versions"),
        ours.rate(),
    )
    .beside("ChartMuseum", theirs.rate())
    .times(Mark::AtLeast(500.0))
    .note(format!(
        "{} and {} acknowledged",
        ours.acknowledged, theirs.acknowledged
    ));
    let count = |count: usize| Some(Figure::one(Unit::Count, count as f64));
    let theirs_or_none = |number: usize| count(number).filter(|_| stage.has_chartmuseum());
    let lost = Line::new(
        "of those, acknowledged and not in the index",
        count(ours.lost),
    )
    .beside("ChartMuseum", theirs_or_none(theirs.lost))
    .absolute(ours.lost as f64, Mark::AtMost(0.0));
    let refused = Line::new("of those, refused or not answered", count(ours.refused))
        .beside("ChartMuseum", theirs_or_none(theirs.refused))
        .absolute(ours.refused as f64, Mark::AtMost(0.0));
    Ok(vec![rates, lost, refused])
}

#[derive(Debug, Default)]
struct Tally {
    rates: Vec<f64>,
    acknowledged: usize,
    lost: usize,
    refused: usize,
}

impl Tally {
    async fn upload(
        &mut self,
        client: &Client,
        url: &str,
        charts: Vec<Chart>,
        lasts: Duration,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + lasts;
        let outcome = upload_all(client, url, charts, 16, end).await?;
        let rate = outcome.acknowledged.len() as f64 / outcome.took.as_secs_f64();
        self.rates.push(rate);
        self.acknowledged += outcome.acknowledged.len();
        self.refused += outcome.refused + outcome.dropped;
        self.lost += missing(&client.index(url).await?, &outcome.acknowledged);
        Ok(())
    }

    fn rate(&self) -> Option<Figure> {
        Figure::of(Unit::PerSecond, self.rates.clone())
    }
}

/// Each upload is looked for in the index that is asked for next.
pub(super) async fn visible(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let mut misses = [0, 0];
    let mut looked = [0, 0];
    for (place, program) in stage.programs().into_iter().enumerate() {
        let url = stage.server(program).await?;
        let count = if program == Program::Chartroom {
            100
        } else {
            10
        };
        for chart in stage.news(program, count) {
            stage.client.publish(&url, &chart).await?;
            let index = stage.client.index(&url).await?;
            misses[place] += missing(&index, &[chart]);
            looked[place] += 1;
        }
    }
    let count = |count: usize| Figure::one(Unit::Count, count as f64);
    let theirs = stage.has_chartmuseum().then(|| count(misses[1]));
    let line = Line::new(
        "uploads that the next index did not have",
        Some(count(misses[0])),
    )
    .beside("ChartMuseum", theirs)
    .absolute(misses[0] as f64, Mark::AtMost(0.0))
    .note(format!("of {} and {}", looked[0], looked[1]));
    Ok(vec![line])
}

/// Many more clients than uploads are received at once.
pub(super) async fn overload(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let url = stage.server(Program::Chartroom).await?;
    let charts = stage.news(Program::Chartroom, 2_000);
    let before = stage.peak(Program::Chartroom).unwrap_or_default();
    let end = Instant::now() + Duration::from_mins(1);
    let outcome = upload_all(&stage.client, &url, charts, 128, end).await?;
    let after = stage.peak(Program::Chartroom).unwrap_or_default();
    let lost = missing(&stage.client.index(&url).await?, &outcome.acknowledged);
    let others = outcome.refused - outcome.told_to_come_back + outcome.dropped + lost;
    let line = Line::new(
        "uploads by 128 clients: dropped, lost, or refused without `Retry-After`",
        Some(Figure::one(Unit::Count, others as f64)),
    );
    Ok(vec![line.absolute(others as f64, Mark::AtMost(0.0)).note(
        format!(
            "{} acknowledged, {} told to come back; the peak of memory grew by {} MB",
            outcome.acknowledged.len(),
            outcome.told_to_come_back,
            digits((after - before) / 1e6)
        ),
    )])
}
