"""Libraries find their way in a child that can have threads only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmark_engine.attacks.conftest import INTACT, Range

pytestmark = pytest.mark.system

USES = {
    "a forest with threads": (
        "from sklearn.ensemble import RandomForestClassifier as F\nF(8, n_jobs=2).fit(X, X.peak > 0).predict_proba(X)"
    ),
    "a search over parameters": (
        "from sklearn.model_selection import GridSearchCV as G\nfrom sklearn.linear_model import Ridge\n"
        "G(Ridge(), {'alpha': [1, 2]}, n_jobs=2, cv=2).fit(X, X.peak)"
    ),
    "neighbours with threads": (
        "from sklearn.neighbors import KNeighborsClassifier as K\nK(n_jobs=2).fit(X, X.peak > 0).predict(X)"
    ),
    "boosting with OpenMP": (
        "from sklearn.ensemble import HistGradientBoostingClassifier as H\nH(max_iter=3).fit(X, X.peak > 0).predict(X)"
    ),
    "files that are copied": (
        "import shutil, tempfile\np = tempfile.mkdtemp()\nopen(p + '/a', 'w').write('x')\n"
        "shutil.copy2(p + '/a', p + '/b'); shutil.copytree(p, 'copy'); shutil.rmtree(p); os.chmod('copy', 0o700)"
    ),
    "an event loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "a pool of threads": "from multiprocessing.pool import ThreadPool; ThreadPool(2).map(str, [1, 2])",
    "libraries that are imported late": "import sklearn.gaussian_process, scipy.signal, sqlite3, xml.etree.ElementTree",
    "the number of cores": "import joblib; joblib.cpu_count(); os.cpu_count()",
    "random numbers and the time": "import secrets, datetime; secrets.token_hex(); datetime.datetime.now()",
    "a matrix product with threads": (
        "import threadpoolctl\nwith threadpoolctl.threadpool_limits(2): np.ones((500, 500)) @ np.ones((500, 500))"
    ),
    "memory-mapped arrays": "a = np.memmap('m', dtype='f8', mode='w+', shape=(100,)); a[:] = 1; a.flush()",
}


def test_a_forest_that_asks_for_many_threads_gets_as_many_as_are_its_share(
    range_: Range, hostile: Callable[..., Path]
) -> None:
    """One, which is the one that it has, besides the one that counts."""
    use = (
        "from sklearn.ensemble import RandomForestClassifier as F\nbefore = len(os.listdir('/proc/self/task'))\n"
        "most, done = [0], []\ndef count():\n"
        "  while not done: most[0] = max(most[0], len(os.listdir('/proc/self/task')))\n"
        "counter = threading.Thread(target=count); counter.start()\n"
        "forest = F(50, n_jobs=16).fit(X, X.peak > 0)\nfor _ in range(10): forest.predict_proba(X)\n"
        "done.append(1); counter.join(); print('MORE', most[0] - before)"
    )
    assert "MORE 1\n" in range_.run(hostile(use)).output


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_model_may_use(use: str, range_: Range, hostile: Callable[..., Path]) -> None:
    found = range_.run(hostile(use))
    assert "DONE" in found.output, found.output
    assert found.metrics[0].value == INTACT
