"""How many threads libraries start in a child, whatever a model asks for: tried in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark_engine.sandbox.compat import THREAD_VARIABLES

ROOT = Path(__file__).parents[3]
SETTING = """
import sys, threading, time
import joblib, numpy as np, threadpoolctl
from benchmark_engine.sandbox.compat import adapt
adapt(int(sys.argv[1]))
seen = set()

def work(_=None):
    seen.add(threading.get_ident())
    time.sleep(0.01)

def nest(_):
    work()
    joblib.Parallel(n_jobs=8)(joblib.delayed(work)(n) for n in range(8))
"""
MANY = {
    "many jobs": "joblib.Parallel(n_jobs=16)(joblib.delayed(work)(n) for n in range(50))",
    "all cores": "joblib.Parallel(n_jobs=-1)(joblib.delayed(work)(n) for n in range(50))",
    "jobs in jobs": "joblib.Parallel(n_jobs=8)(joblib.delayed(nest)(n) for n in range(8))",
    "processes": "joblib.Parallel(n_jobs=8, backend='loky')(joblib.delayed(work)(n) for n in range(50))",
    "processes by the context": (
        "with joblib.parallel_config('multiprocessing', n_jobs=8):\n"
        "  joblib.Parallel()(joblib.delayed(work)(n) for n in range(50))"
    ),
    "a forest": (
        "from sklearn.ensemble import RandomForestClassifier as Forest\n"
        "from sklearn.tree import DecisionTreeClassifier as Tree\n"
        "X = np.random.default_rng(0).normal(size=(200, 3))\n"
        "forest = Forest(50, n_jobs=16).fit(X, X[:, 0] > 0)\n"
        "original = Tree.predict_proba\n"
        "Tree.predict_proba = lambda *a, **k: (work(), original(*a, **k))[1]\n"
        "forest.predict_proba(X)"
    ),
}


def run(act: str, *, threads: int, most: int) -> str:
    """What a program prints whose environment allows some threads, and whose limits `most`."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{SETTING}\n{act}", str(most)],
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("act", MANY.values(), ids=MANY)
def test_no_more_threads_work_than_are_allowed(act: str) -> None:
    assert run(f"{act}\nprint(len(seen))", threads=2, most=64) == "2"


def test_the_limit_of_threads_holds_where_it_is_less_than_the_environment_s() -> None:
    act = (
        f"{MANY['many jobs']}\nimport os\n"
        "pools = {pool['num_threads'] for pool in threadpoolctl.threadpool_info()}\n"
        "print(len(seen), os.environ['OMP_NUM_THREADS'], pools)"
    )
    assert run(act, threads=2, most=1) == "1 1 {1}"


def test_openmp_starts_no_more_than_are_allowed_whatever_it_is_asked_for() -> None:
    act = (
        "from sklearn.ensemble import HistGradientBoostingClassifier as Boosting\n"
        "import os\n"
        "X = np.random.default_rng(0).normal(size=(20_000, 10))\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "with threadpoolctl.threadpool_limits(16, user_api='openmp'):\n"
        "  Boosting(max_iter=5).fit(X, X[:, 0] > 0).predict(X)\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    assert run(act, threads=2, most=64) == "1"
