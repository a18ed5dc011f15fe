"""One set of versions: pyproject, requirements.lock and environment.yml agree."""

import re
import runpy

from support import REPOSITORY

TOOL = runpy.run_path(str(REPOSITORY / "tools" / "make_environment.py"))


def test_environment_yml_has_exactly_the_pins_of_the_lock():
    import yaml

    written = yaml.safe_load((REPOSITORY / "environment.yml").read_text("utf-8"))
    conda = [one for one in written["dependencies"] if isinstance(one, str) and one not in ("pip", "python=3.11")]
    pip = next(one["pip"] for one in written["dependencies"] if isinstance(one, dict))
    pins = dict(one.split("=", 1) for one in conda)
    pins |= dict(one.split("==") for one in pip)
    assert pins == TOOL["pins"]()


def test_every_dependency_of_the_project_is_locked_at_the_version_it_names():
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = {name.lower(): version for name, version in TOOL["pins"]().items()}
    for requirement in wanted:
        name, _, version = requirement.split(">=")[0].partition("==")
        assert name.lower() in locked, f"{name} is not in requirements.lock"
        assert version in ("", locked[name.lower()]), requirement


def test_every_locked_package_carries_hashes():
    text = (REPOSITORY / "requirements.lock").read_text("utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    unhashed = [entry.split()[0] for entry in entries if "==" in entry.split("\n")[0] and "--hash=sha256:" not in entry]
    assert unhashed == []
