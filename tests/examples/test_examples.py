"""The examples of the documentation, compiled to artifacts and run in an empty environment."""

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main
from tests.examples.orders_server import ORDERS, TOKEN, customers_csv, order, shop
from tests.reports import read_report
from tests.services.openssh import Several, SshServer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
EMPTY = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The artifact of the example that the test is about."""
    name = request.param
    target = tmp_path_factory.mktemp(name) / "job.pyz"
    assert main(["compile", str(EXAMPLES / name / f"{name}.gxo.yaml"), "-o", str(target)]) == 0
    return target


@pytest.fixture
def artifact(compiled: Path, tmp_path: Path) -> Path:
    """The same in a folder where nothing ran yet."""
    return Path(shutil.copy(compiled, tmp_path))


def run(
    python: Path, artifact: Path, *options: str, secrets: dict[str, str] | None = None
) -> dict[str, object]:
    """Run the artifact where nothing else is; returns its report."""
    done = subprocess.run(
        [python, "-W", "error", artifact, "--report", "-", *options],
        env=EMPTY | {"HOME": str(artifact.parent)} | (secrets or {}),
        cwd=artifact.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = read_report(done.stdout)
    assert report["overall_status"] == "Completed"
    return report


def dry_run(artifact: Path, *options: str, secrets: dict[str, str] | None = None) -> list[str]:
    """Make a dry run where no command is found; returns the lines on standard error, without times.

    Something would change, and nothing does. (An artifact with native code unpacks that first.)
    """
    (artifact.parent / ".cache").mkdir()
    before = sorted(artifact.parent.rglob("*"))
    done = subprocess.run(
        [sys.executable, artifact, "--dry-run", "--detailed-exitcode", *options],
        env={"PATH": "/usr/bin", "HOME": str(artifact.parent)} | (secrets or {}),
        cwd=artifact.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    cache = artifact.parent / ".cache"
    new = [path for path in artifact.parent.rglob("*") if path not in before]
    assert [path for path in new if cache not in path.parents] == []
    return [line.partition("info     ")[2] or line.strip() for line in done.stderr.splitlines()]


def statuses(report: dict[str, object]) -> dict[str, str]:
    results = report["workload_results"]
    assert isinstance(results, dict)
    return {name: result["status"] for name, result in results.items()}


@pytest.mark.parametrize("compiled", ["host-report"], indirect=True)
def test_host_report(artifact: Path, python: Path) -> None:
    report = run(python, artifact)
    assert set(statuses(report).values()) == {"Completed"}
    out = artifact.parent / "out"
    rows = list(csv.DictReader((out / "filesystems.csv").read_text().splitlines()))
    assert {"mount": "/", "owner": "platform"}.items() <= {
        key: value for row in rows if row["mount"] == "/" for key, value in row.items()
    }.items()
    df = subprocess.run(["df", "-P"], capture_output=True, text=True, check=True).stdout
    mounts = {line.split(None, 5)[5] for line in df.splitlines()[1:]}
    assert {row["mount"] for row in rows} <= mounts
    page = (out / "report.txt").read_text()
    assert page.startswith("Linux ")
    assert "Memory by user" in page
    assert "root" in page


@pytest.mark.parametrize("compiled", ["host-report"], indirect=True)
def test_host_report_in_a_dry_run(artifact: Path) -> None:
    lines = dry_run(artifact)
    assert "disks: would run: df -P | tail -n +2" in lines
    assert "table: would write out/filesystems.csv (not known: the records of 'owned')" in lines
    assert lines[-1] == "dry run: 4 would change, 1 unchanged, 10 unknown"


@pytest.mark.parametrize("compiled", ["orders-etl"], indirect=True)
def test_orders_etl_in_a_dry_run(artifact: Path) -> None:
    """Reading the API is no change, so all is known up to the files."""
    with shop() as (address, _):
        lines = dry_run(artifact, "--var", f"api={address}", secrets={"API_TOKEN": TOKEN})
    assert [line for line in lines if "would write out/monthly.csv (" in line]
    assert lines[-1].endswith(" 0 unknown")


@pytest.mark.parametrize("compiled", ["site-deploy"], indirect=True)
def test_site_deploy_in_a_dry_run(artifact: Path) -> None:
    lines = dry_run(artifact, "-e", "version=1.4")
    assert "host-files: would write dist/hosts/web-1.conf (91 bytes)" in lines
    assert (
        "style: would call filesystem:read (not known: whether 'build/site.css' is there)" in lines
    )
    assert lines[-1] == "dry run: 4 would change, 3 unchanged, 3 unknown"


@pytest.mark.parametrize("compiled", ["site-deploy"], indirect=True)
def test_assets_are_not_laid_into_a_workspace_that_stays(artifact: Path, tmp_path: Path) -> None:
    """They can be read all the same; one that would replace a file is refused as in a run."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    lines = dry_run(artifact, "-e", "version=1.4", "--workspace", str(workspace))
    assert [line for line in lines if line.startswith("page: completed in ")]
    assert list(workspace.iterdir()) == []
    (workspace / "site").mkdir()
    (workspace / "site" / "index.html").write_text("another")
    options = ["-e", "version=1.4", "--check", "--workspace", str(workspace)]
    refused = subprocess.run(
        [sys.executable, artifact, *options], env=EMPTY, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "the asset 'site/index.html' would replace a different file" in refused.stderr


@pytest.mark.parametrize("compiled", ["orders-etl"], indirect=True)
def test_orders_etl(artifact: Path, python: Path) -> None:
    """The same figures as SQL gives for the same data, with both 503s answered by a retry."""
    with shop() as (address, failed):
        report = run(python, artifact, "--var", f"api={address}", secrets={"API_TOKEN": TOKEN})
    assert failed == {"customers", "page 3"}
    assert set(statuses(report).values()) == {"Completed"}
    assert TOKEN not in json.dumps(report)
    expected = computed_with_sql()
    out = artifact.parent / "out"
    with (out / "monthly.csv").open(newline="") as file:
        rows = [
            (row["name"], row["month"], int(row["orders"]), float(row["total"]))
            for row in csv.DictReader(file)
        ]
    lines = (out / "monthly.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert sorted(rows) == expected
    assert sorted((r["name"], r["month"], r["orders"], r["total"]) for r in records) == expected


def computed_with_sql() -> list[tuple[str, str, int, float]]:
    database = sqlite3.connect(":memory:")
    database.execute("create table orders (customer_id, status, amount, created)")
    database.execute("create table customers (id, name)")
    orders = (order(number) for number in range(ORDERS))
    database.executemany(
        "insert into orders values (:customer_id, :status, :amount, :created)", orders
    )
    customers = csv.DictReader(customers_csv().splitlines())
    database.executemany(
        "insert into customers values (?, ?)", ((int(row["id"]), row["name"]) for row in customers)
    )
    rows = database.execute(
        "select name, substr(created, 1, 7) as month, count(*), sum(amount)"
        " from orders join customers on customers.id = orders.customer_id"
        " where status = 'paid' and amount > 0 group by name, month order by name, month"
    ).fetchall()
    database.close()
    return rows


@pytest.mark.parametrize("compiled", ["site-deploy"], indirect=True)
def test_site_deploy(artifact: Path, python: Path) -> None:
    report = run(python, artifact, "-e", "version=1.4")
    assert statuses(report)["minified"] == "Skipped"
    assert {status for name, status in statuses(report).items() if name != "minified"} == {
        "Completed"
    }
    dist = artifact.parent / "dist"
    page = (dist / "index.html").read_text()
    assert "<h1>Example site 1.4</h1>" in page
    assert "max-width: 40rem" in page
    assert (dist / "hosts" / "web-1.conf").read_text() == (
        "server {\n  listen 8080;\n  server_name www.example.com example.com;\n"
        "  root /srv/site/1.4;\n}\n"
    )
    assert "  server_name web-2;\n" in (dist / "hosts" / "web-2.conf").read_text()
    assert (
        (dist / "summary.txt")
        .read_text()
        .startswith("Example site 1.4: 3 hosts\n1. dist/hosts/web-1.conf (")
    )


@pytest.mark.parametrize("compiled", ["site-deploy"], indirect=True)
def test_site_deploy_minified(artifact: Path, python: Path) -> None:
    report = run(python, artifact, "-e", "version=1.5", "-e", "minify=true")
    assert set(statuses(report).values()) == {"Completed"}
    assert "\nh1" not in (artifact.parent / "dist" / "index.html").read_text()


@pytest.mark.parametrize("compiled", ["site-deploy"], indirect=True)
def test_a_wrong_input_is_refused_before_anything_runs(artifact: Path, python: Path) -> None:
    done = subprocess.run(
        [python, "-W", "error", artifact, "-e", "version=x"],
        env=EMPTY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: input 'version' given by --var does not match the pattern [0-9]+\\.[0-9]+\n"
    )


def test_a_failed_check_ends_the_job(tmp_path: Path, python: Path) -> None:
    """The assert of site-deploy, asked for more than the page has: what follows does not run."""
    folder = tmp_path / "site-deploy"
    shutil.copytree(EXAMPLES / "site-deploy", folder)
    playbook = folder / "site-deploy.gxo.yaml"
    playbook.write_text(playbook.read_text().replace("}} > 100 &&", "}} > 100000 &&"))
    assert main(["compile", str(playbook), "-o", str(tmp_path / "job.pyz")]) == 0
    done = subprocess.run(
        [python, "-W", "error", "job.pyz", "-e", "version=1.4", "--report", "-"],
        env=EMPTY | {"HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    report = read_report(done.stdout)
    assert "dist/index.html has only" in report["error"]
    assert statuses(report)["checked"] == "Failed"
    assert statuses(report)["host-files"] == "Pending"


FLEET = ("web-1", "db-1", "new-1")
"""What the hosts of fleet-check are called; the last one is in no inventory."""


def fleet(servers: list[SshServer], home: Path) -> list[str]:
    """The options that name the servers; they are in the known_hosts of the home folder."""
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "known_hosts").write_text("".join(one.known_hosts for one in servers))
    hosts = [
        {"name": name, "address": one.host, "port": one.port}
        for name, one in zip(FLEET, servers, strict=True)
    ]
    given = home / "hosts.json"  # as the playbook's first lines tell
    given.write_text(json.dumps({"hosts": hosts, "user": servers[0].user}))
    assert (
        f"--vars-file {given.name}\n" in (EXAMPLES / "fleet-check/fleet-check.gxo.yaml").read_text()
    )
    return ["--vars-file", str(given)]


@pytest.mark.parametrize("compiled", ["fleet-check"], indirect=True)
def test_fleet_check(artifact: Path, sshds: Several) -> None:
    """Three real servers, each with a key of its own for the host, and one for the user."""
    servers = sshds(3)
    key = servers[0].private_key
    for server in servers:
        server.let_in(servers[0])
    options = fleet(servers, artifact.parent)
    secrets = {"FLEET_KEY": key}
    report = run(Path(sys.executable), artifact, *options, "-e", "disk_limit=100", secrets=secrets)
    assert set(statuses(report).values()) == {"Completed"}
    assert key.splitlines()[1] not in json.dumps(report)
    with (artifact.parent / "out" / "fleet.csv").open(newline="") as file:
        rows = {row["host"]: row for row in csv.DictReader(file)}
    assert list(rows) == sorted(FLEET)
    assert (rows["db-1"]["role"], rows["db-1"]["owner"]) == ("orders", "platform")
    assert (rows["new-1"]["role"], rows["new-1"]["owner"]) == ("", "")
    uname = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout
    assert {row["kernel"] for row in rows.values()} == {uname.strip()}
    lines = (artifact.parent / "out" / "report.txt").read_text().splitlines()
    assert lines[0] == "3 hosts checked"
    assert [line.split()[0] for line in lines[1:]] == sorted(FLEET)
    assert lines[2].endswith("no owner")
    assert not [path for server in servers for path in server.temporary.iterdir()]


@pytest.mark.parametrize("compiled", ["fleet-check"], indirect=True)
def test_fleet_check_fails(artifact: Path, sshds: Several) -> None:
    """For a disk that is too full, with the files written all the same; for a host that has another
    key than before, with nothing run on any."""
    servers = sshds(3)
    for server in servers:
        server.let_in(servers[0])
    options = fleet(servers, artifact.parent)
    secrets = {"FLEET_KEY": servers[0].private_key}
    done = failed(artifact, *options, "-e", "disk_limit=-1", secrets=secrets)
    assert "disks over -1 %: db-1 (platform), new-1 (no owner), web-1 (storefront)" in done
    assert (artifact.parent / "out" / "report.txt").exists()
    known = artifact.parent / ".ssh" / "known_hosts"
    known.write_text(
        known.read_text()
        .replace(str(servers[0].port), "0")
        .replace(str(servers[1].port), str(servers[0].port))
    )
    done = failed(artifact, *options, secrets=secrets)
    assert f"127.0.0.1:{servers[0].port} has another key than before" in done


def failed(artifact: Path, *options: str, secrets: dict[str, str]) -> str:
    """What a run that fails says on standard error, without a secret."""
    done = subprocess.run(
        [sys.executable, artifact, *options],
        env=EMPTY | {"HOME": str(artifact.parent)} | secrets,
        cwd=artifact.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert not [value for value in secrets.values() if value.splitlines()[1] in done.stderr]
    return done.stderr


@pytest.mark.parametrize("compiled", ["fleet-check"], indirect=True)
def test_fleet_check_in_a_dry_run(artifact: Path) -> None:
    lines = dry_run(artifact, secrets={"FLEET_KEY": "a key that nobody opens"})
    assert "would connect to db-1.example.com as deploy by SSH" in lines
    assert [line for line in lines if line.startswith("table: would write out/fleet.csv")]
