//! From the start of a process to its first whole index.

use std::fs;

use crate::figures::Figure;
use crate::stage::{Stage, settle};
use crate::table::{Line, Mark};

/// How often each program is started.
const ROUNDS: usize = 5;

/// Over what a run before has left.
pub(super) async fn saved(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let size = stage.size;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (place, program) in stage.programs().into_iter().enumerate() {
            let directory = stage.state(program, size).await?;
            let mut process = stage.launch(program, &directory)?;
            let took = stage.client.whole(&mut process, size).await?;
            stage.note_peak(program, size, &process);
            times[place].push(took);
            process.stop()?;
        }
    }
    let line = Line::new(
        format!("start with saved state at {size} versions, to the first whole index"),
        Figure::of_times(&times[0]),
    );
    Ok(vec![
        line.beside("ChartMuseum", Figure::of_times(&times[1]))
            .smaller_by(Mark::AtLeast(10.0)),
    ])
}

/// Over archives alone.
pub(super) async fn first(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let size = stage.size;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (place, program) in stage.programs().into_iter().enumerate() {
            let directory = stage.new_folder("first");
            stage.corpora.fill(&directory, size)?;
            let mut process = stage.launch(program, &directory)?;
            times[place].push(stage.client.whole(&mut process, size).await?);
            settle(&directory).await?;
            stage.note_peak(program, size, &process);
            process.stop()?;
            fs::remove_dir_all(&directory)?;
        }
    }
    let line = Line::new(
        format!("start with no saved state on {size} archives"),
        Figure::of_times(&times[0]),
    );
    Ok(vec![
        line.beside("ChartMuseum", Figure::of_times(&times[1]))
            .smaller_by(Mark::AtLeast(5.0)),
    ])
}
