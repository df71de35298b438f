//! `process_*`: what the system knows of this process, under the names of the Go client. Where there is
//! no `/proc`, there are no such metrics.

use std::fmt;
use std::fs;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;

use super::exposition::gauge;
use super::float;

/// The unit of times in `/proc`; the same on every Linux that is in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// Texts of `/proc`, as they are read.
#[derive(Clone, Debug)]
struct Texts {
    stat: String,
    status: String,
    limits: String,
    system: String,
    network: String,
    open_files: f64,
}

#[derive(Clone, Debug, PartialEq)]
struct Process {
    cpu_seconds: f64,
    start_seconds: f64,
    resident_bytes: f64,
    virtual_bytes: f64,
    virtual_max_bytes: f64,
    open_files: f64,
    max_open_files: f64,
    received_bytes: f64,
    sent_bytes: f64,
}

/// Writes what is known.
///
/// # Cost
/// Six files of `/proc`, which take no disk, and one listing.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let Some(process) = read().and_then(|texts| Process::of(&texts)) else {
        return Ok(());
    };
    for (name, help, value) in [
        (
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds.",
            process.cpu_seconds,
        ),
        (
            "process_network_receive_bytes",
            "Number of bytes received by the process over the network.",
            process.received_bytes,
        ),
        (
            "process_network_transmit_bytes",
            "Number of bytes sent by the process over the network.",
            process.sent_bytes,
        ),
    ] {
        let kind = <ConstCounter<f64> as TypedMetric>::TYPE;
        let metric = encoder.encode_descriptor(name, help, None, kind)?;
        ConstCounter::new(value).encode(metric)?;
    }
    for (name, help, value) in [
        (
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            process.start_seconds,
        ),
        (
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            process.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            process.virtual_bytes,
        ),
        (
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
            process.virtual_max_bytes,
        ),
        (
            "process_open_fds",
            "Number of open file descriptors.",
            process.open_files,
        ),
        (
            "process_max_fds",
            "Maximum number of open file descriptors.",
            process.max_open_files,
        ),
    ] {
        gauge(encoder, name, help, &value)?;
    }
    Ok(())
}

fn read() -> Option<Texts> {
    let text = |path: &str| fs::read_to_string(path).ok();
    Some(Texts {
        stat: text("/proc/self/stat")?,
        status: text("/proc/self/status")?,
        limits: text("/proc/self/limits")?,
        system: text("/proc/stat")?,
        // Of the network namespace: in a container, of the container.
        network: text("/proc/self/net/netstat")?,
        // The listing itself is one of them.
        open_files: float(fs::read_dir("/proc/self/fd").ok()?.count() as u64),
    })
}

impl Process {
    /// See proc(5).
    fn of(texts: &Texts) -> Option<Self> {
        // The name of the program, in parentheses, may hold anything; after it numbers follow.
        let (_, numbers) = texts.stat.rsplit_once(')')?;
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        let ticks = |field: usize| number(numbers.get(field - 3)?);
        let boot = line(&texts.system, "btime ")?;
        Some(Self {
            cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS_PER_SECOND,
            start_seconds: number(boot.trim())? + ticks(22)? / TICKS_PER_SECOND,
            resident_bytes: kibibytes(&texts.status, "VmRSS:")?,
            virtual_bytes: kibibytes(&texts.status, "VmSize:")?,
            virtual_max_bytes: limit(&texts.limits, "Max address space ")?,
            open_files: texts.open_files,
            max_open_files: limit(&texts.limits, "Max open files ")?,
            received_bytes: octets(&texts.network, "InOctets")?,
            sent_bytes: octets(&texts.network, "OutOctets")?,
        })
    }
}

fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn kibibytes(status: &str, name: &str) -> Option<f64> {
    let (value, _) = line(status, name)?.trim().split_once(' ')?;
    Some(number(value)? * 1024.0)
}

/// Finds a column of the table that is a line of names and a line of numbers.
fn octets(netstat: &str, name: &str) -> Option<f64> {
    let mut lines = netstat
        .lines()
        .filter_map(|line| line.strip_prefix("IpExt: "));
    let names = lines.next()?.split(' ');
    let mut columns = names.zip(lines.next()?.split(' '));
    number(columns.find(|(column, _)| *column == name)?.1)
}

/// Returns the soft limit; without one, as the Go client does, the largest number.
fn limit(limits: &str, name: &str) -> Option<f64> {
    match line(limits, name)?.split_whitespace().next()? {
        "unlimited" => Some(float(u64::MAX)),
        value => number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_the_system_are_read() {
        let texts = Texts {
            stat: "4242 (a b) c) S 1 4242 4242 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 8 0 12345 \
                   1024000 300 18446744073709551615 1 1 0 0 0 0 0"
                .to_owned(),
            status: "Name:\tx\nVmSize:\t  1000 kB\nVmRSS:\t   20 kB\n".to_owned(),
            limits: "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max open files            1024                 524288               files     \n\
                     Max address space         unlimited            unlimited            bytes     \n"
                .to_owned(),
            system: "cpu  1 2 3\nbtime 1700000000\nprocesses 5\n".to_owned(),
            network: "TcpExt: A B\nTcpExt: 1 2\nIpExt: A InOctets OutOctets\nIpExt: 7 8 9\n"
                .to_owned(),
            open_files: 9.0,
        };
        let expected = Process {
            cpu_seconds: 2.0,
            start_seconds: 1_700_000_123.45,
            resident_bytes: 20_480.0,
            virtual_bytes: 1_024_000.0,
            virtual_max_bytes: 18_446_744_073_709_551_615.0,
            open_files: 9.0,
            max_open_files: 1024.0,
            received_bytes: 8.0,
            sent_bytes: 9.0,
        };
        assert_eq!(Process::of(&texts), Some(expected));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_known() {
        let process = Process::of(&read().unwrap()).unwrap();
        assert!(process.resident_bytes > 1_000_000.0, "{process:?}");
        assert!(process.virtual_bytes > process.resident_bytes);
        assert!(process.open_files >= 3.0 && process.open_files <= process.max_open_files);
        assert!(process.start_seconds > 1_700_000_000.0);
    }
}
