//! The process's own figures, under the standard names that every Prometheus client uses: memory, processor time, files
//! and its start. Read from /proc at each scrape; what a system does not tell this way is left out.

use std::time::{SystemTime, UNIX_EPOCH};

use aggregator_core::metrics::{HostFigure, Kind};

/// Linux counts processor time in hundredths of a second towards programs, whatever its own clock ticks.
const TICKS_PER_SECOND: f64 = 100.0;
/// Fields of /proc/self/stat after the program's name: `utime` and `stime`.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// `started` is when the program began.
pub fn figures(started: SystemTime) -> Vec<HostFigure> {
    let gauge = |name, help, value| HostFigure { name, help, kind: Kind::Gauge, value };
    let began = started.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let status = read("/proc/self/status");
    let memory = |field| kilobytes(&status, field);
    let told = [
        memory("VmRSS:").map(|value| gauge("process_resident_memory_bytes", "Resident memory.", value)),
        memory("VmSize:").map(|value| gauge("process_virtual_memory_bytes", "Virtual memory.", value)),
        processor_seconds(&read("/proc/self/stat")).map(|value| HostFigure {
            name: "process_cpu_seconds",
            help: "Processor time, in user and system mode.",
            kind: Kind::Counter,
            value,
        }),
        open_files().map(|value| gauge("process_open_fds", "Open files and sockets.", value)),
        most_files(&read("/proc/self/limits"))
            .map(|value| gauge("process_max_fds", "Files and sockets that may be open.", value)),
    ];
    let start = gauge("process_start_time_seconds", "When the program began, in seconds since 1970.", began);
    [start].into_iter().chain(told.into_iter().flatten()).collect()
}

/// Empty where there is no such file.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn kilobytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let number: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1_024.0)
}

fn processor_seconds(stat: &str) -> Option<f64> {
    // The name stands in brackets and may hold anything, brackets too.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(USER_TICKS)? + ticks(SYSTEM_TICKS)?) / TICKS_PER_SECOND)
}

fn open_files() -> Option<f64> {
    // One of them is the folder that is being read.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn most_files(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read() {
        assert_eq!(kilobytes("Name:\tx\nVmRSS:\t   12 kB\n", "VmRSS:"), Some(12_288.0));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 0 0 0 0 150 50 0 0 20";
        assert_eq!(processor_seconds(stat), Some(2.0));
        assert_eq!(most_files("Limit Soft\nMax open files            1024    4096  files\n"), Some(1_024.0));
        assert_eq!((kilobytes("", "VmRSS:"), processor_seconds("")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let figures = figures(SystemTime::now());
        assert_eq!(figures.len(), 6);
        assert!(figures.iter().all(|one| one.value.is_finite() && one.value >= 0.0));
    }
}
