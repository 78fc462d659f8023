"""A Dask cluster marks as this machine does."""

import pytest

from rnncourse.grading.cluster import Cluster
from rnncourse.grading.course import CourseError
from rnncourse.grading.sandbox.bubblewrap import Limits
from rnncourse.grading.unit import Unit

NOTEBOOK = (
    '{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], '
    '"source": "6 * 7"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
)


def test_a_cluster_marks_as_this_machine_does(walls):
    distributed = pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")
    unit = Unit(NOTEBOOK, {}, "seed", Limits(), walls=True)
    local = distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None)
    with local, Cluster(local.scheduler_address) as cluster:
        assert cluster.processes == 2
        assert cluster.submit(unit).result(60) == unit.mark()


def test_a_scheduler_that_does_not_answer_is_told():
    pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")
    with pytest.raises(CourseError, match=r"expected a Dask scheduler at tcp://127.0.0.1:1, got"):
        Cluster("tcp://127.0.0.1:1")
