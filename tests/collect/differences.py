"""What differs from node_exporter, and why: the tests allow this and no more, and docs/metrics.md says it."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """Series of one side whose names match a pattern."""

    names: str
    """A regular expression for the whole name."""
    reason: str


LEFT_OUT = (
    Difference(
        "node_network_(asymmetricpause|autonegotiate|pause|port|supported|advertised)_?.*",
        "the ethtool collector gives what drivers count, not what links can do",
    ),
    Difference(
        "node_btrfs_device_.*",
        "errors, unused bytes and the label btrfs_dev_uuid take an ioctl on each mounted file system, which "
        "may hang and is for root alone; node_btrfs_device_size_bytes is here, without that label",
    ),
    Difference("node_exporter_.*|node_scrape_collector_.*", "they are about node_exporter itself"),
)
"""What node_exporter 1.5 gives and this service does not."""

ABSENT = (
    Difference("node_arp_states", "of 1.9: it takes a question over netlink for each neighbour"),
    Difference(
        "node_filesystem_.*",
        "the label device_error of 1.8 is not here: with the text of an error in it, a file system that "
        "fails would be another series than before, and its line would end",
    ),
    Difference("node_timex_offset_overflow_total", "of 1.10: a count of its own, and not the kernel's"),
    Difference(
        "node_(bcache|drbd|kernel_hung|lnstat|logind|ntp|pcidevice|perf|runit|supervisord|swap|wifi|xfrm)_.*",
        "collectors that are not here",
    ),
)
"""What other versions and collectors of node_exporter give and this service does not."""

MORE = (
    Difference("node_filesystem_mount_info", "node_exporter has it since 1.9"),
    Difference(
        "node_netstat_TcpExt_(TCPOFOQueue|TCPRcvQDrop)",
        "node_exporter keeps these fields of netstat by default since 1.6",
    ),
    Difference("namedprocess_.*|monitor_process.*", "process-exporter gives it, and node_exporter does not"),
    Difference("DCGM_FI_DEV_.*", "NVIDIA's DCGM exporter gives it, and node_exporter does not"),
    Difference("kernel_messages_.*", "node_exporter does not read the kernel's messages"),
    Difference("journal_messages_.*", "node_exporter does not read the journal"),
    Difference("probe_.*", "blackbox_exporter gives it, and node_exporter does not"),
    Difference("container_.*|monitor_container_.*", "cAdvisor gives it, and node_exporter does not"),
    Difference("monitor_collector_unreadable_files", "a file that cannot be read is left out, and counted"),
    Difference(
        "node_btrfs_(commits?_.*|(last|max)_commit_seconds)|node_hwmon_freq_freq_mhz"
        "|node_mountstats_nfs_(mountpoint_info|operations_errors_total)|node_zfs_dbuf_.*",
        "later versions of node_exporter have it",
    ),
    Difference("node_systemd_virtualization_info", "later versions of node_exporter have it"),
    Difference("node_zfs_arc_memory_available_bytes", "it may be negative; node_exporter leaves such out"),
    Difference("node_cpu_(online|scaling_governor)", "node_exporter has them since 1.6"),
    Difference("node_softirqs_functions_total", "node_exporter has the collector softirqs since 1.6"),
    Difference(
        "node_softnet_(backlog_len|cpu_collision_total|flow_limit_count_total|received_rps_total)",
        "node_exporter tells these columns of softnet since 1.6",
    ),
    Difference("node_watchdog_.*", "node_exporter has the collector watchdog since 1.8"),
    Difference("node_xfs_inode_operation_.*", "newer versions of node_exporter have them"),
    Difference("node_os_support_end_timestamp_seconds", "newer versions of node_exporter have it"),
)
"""What this service gives beyond node_exporter 1.5."""

LABELS: dict[str, tuple[str, str]] = {
    "node_disk_info": ("rotational", "node_exporter has it since 1.9"),
    "node_network_info": ("adminstate", "node_exporter has it since 1.6"),
    **{
        f"node_mountstats_nfs_transport_{name}": ("transport", "node_exporter has it since 1.8")
        for name in (
            *("bind_total", "connect_total", "idle_time_seconds", "sends_total", "receives_total"),
            *("bad_transaction_ids_total", "backlog_queue_total", "maximum_rpc_slots", "sending_queue_total"),
            "pending_queue_total",
        )
    },
}
"""By name of a metric: a label that node_exporter 1.5 does not have, and why it is there."""

TYPES: dict[str, str] = {}
"""By name of a metric: why its type is another than in node_exporter 1.5."""

OPTIONS = ("--collector.netclass.ignore-invalid-speed", "--collector.cpu.info", "--collector.stat.softirq")
"""What this service gives by default and node_exporter only on demand."""
