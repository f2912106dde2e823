"""Counts instructions and compares them with instructions.toml; see instructions.sh."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

BUDGET = pathlib.Path(__file__).with_name("instructions.toml")
# The budget was counted with one compiler; another one makes other code.
OTHER_COMPILER = 4


def compiler():
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    return ".".join(version.stdout.split()[1].split(".")[:2])


def build(packages):
    """The packages' benches `instructions`, optimised nearly as a release is, by package. All at
    once: each builds while another waits for one processor."""
    command = ["cargo", "build", "--profile", "counted", "--locked", "--bench", "instructions",
               "--message-format", "json"]
    for package in packages:
        command += ["-p", package]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    programs = {}
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "instructions":
            folder = pathlib.Path(message["manifest_path"]).parent
            programs[folder.name] = message["executable"]
    missing = set(packages) - set(programs)
    if missing:
        raise SystemExit(f"instructions.py: {', '.join(missing)} has no bench `instructions`")
    return programs


def collected(program, case, times):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program,
                   case, str(times)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not found:
        raise SystemExit(f"instructions.py: {case} cannot be counted\n{ran.stderr[-2000:]}")
    return int(found[1])


def count(program, case, times=10):
    """Of one run, without what only the first one does."""
    return (collected(program, case, times + 1) - collected(program, case, 1)) // times


def main():
    text = BUDGET.read_text()
    budget = tomllib.loads(text)
    own = compiler()
    allowed = budget["tolerance_percent"]
    if own != budget["rustc"]:
        allowed *= OTHER_COMPILER
        print(f"rustc {own}, the budget is of {budget['rustc']}: {allowed} % more are allowed")
    failed = False
    programs = build(budget["instructions"])
    for package, cases in budget["instructions"].items():
        for case, most in cases.items():
            counted = count(programs[package], case)
            more = (counted / most - 1) * 100
            verdict = ""
            if more > allowed:
                failed, verdict = True, f"  OVER BUDGET (at most +{allowed} %)"
            elif more < -allowed:
                verdict = "  lower: --update makes it the budget"
            print(f"{package:12}{case:16}{counted:>12,} {more:+7.1f} %{verdict}", flush=True)
            text = re.sub(rf"(?m)^{case} = [\d_]+$", f"{case} = {counted:_}", text)
    if "--update" in sys.argv[1:]:
        text = re.sub(r'(?m)^rustc = ".*"$', f'rustc = "{own}"', text)
        BUDGET.write_text(text)
        return
    if failed:
        raise SystemExit("more instructions than the budget: make it cheaper, or say in the commit"
                         " why it is worth them and run tests/bench/instructions.sh --update")


if __name__ == "__main__":
    main()
