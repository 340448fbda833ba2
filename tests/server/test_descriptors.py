"""The limit of open files, and what may be asked of it."""

import resource

from monitor.server.descriptors import BESIDES, raise_limit, shortage


def test_the_soft_limit_becomes_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        assert raise_limit() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_viewers_need_a_descriptor_each_beside_the_others() -> None:
    assert shortage(1000, 1000 + BESIDES) is None
    text = shortage(1001, 1000 + BESIDES)
    assert text is not None
    assert text.startswith("server.websocket.max_clients: found 1001, expected at most 1000, because ")
    assert f"LimitNOFILE={1001 + BESIDES}" in text
