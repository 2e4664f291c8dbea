"""What Prometheus would have stored, from real scrapes: some minutes really happen, the hour around them is played.

A minute is what lies between two scrapes. Played again, it adds to each counter what it added when it happened, and a
quiet one adds nothing. A gauge stays as it was last, but an age that grew with the clock grows on, by 60 seconds a minute.
"""

import re
from dataclasses import dataclass, field

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
COUNTED = re.compile(r"_(total|bucket|count|sum)$")


@dataclass
class Scrape:
    """What all processes answered at a moment, by series; those of a process that is gone are not there."""

    at: float
    samples: dict = field(default_factory=dict)
    #: The series that are ages.
    ages: set = field(default_factory=set)

    def add(self, job, instance, text):
        """The answer of one process; None if there is none."""
        target = f'job="{job}",instance="{instance}"'
        self.samples[f"up{{{target}}}"] = float(text is not None)
        gauges, seconds = set(), set()
        for line in (text or "").splitlines():
            if line.startswith("# TYPE ") and line.endswith(" gauge"):
                gauges.add(line.split()[2])
            elif line.startswith("# UNIT ") and line.endswith(" seconds"):
                seconds.add(line.split()[2])
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                series = f"{name}{{{labels + ',' if labels else ''}{target}}}"
                self.samples[series] = float(value)
                if name in gauges & seconds:
                    self.ages.add(series)


def is_counted(series):
    return bool(COUNTED.search(series.split("{")[0]))


class Tape:
    """One dictionary a minute: the values of all series that there were."""

    def __init__(self):
        self.minutes = []
        #: The last scrape, and by how much each of its counters is ahead of it on the tape.
        self.last, self.ahead = Scrape(0), {}

    def record(self, scrape):
        """A minute as it was scraped."""
        for series, value in scrape.samples.items():
            # Who was started anew counts from nothing.
            if value < self.last.samples.get(series, value + 1):
                self.ahead[series] = 0
        self.last = scrape
        self._write(scrape.samples)

    def go_on(self, before, minutes, again):
        """So many minutes more: as that from the scrape `before` to the last one again and again, or quiet ones."""
        steps = self._steps(before, again)
        for time in range(1, minutes + 1):
            self._write({series: value + time * steps[series] for series, value in self.last.samples.items()})
        for series in self.last.samples:
            if is_counted(series):
                self.ahead[series] = self.ahead.get(series, 0) + minutes * steps[series]

    def _steps(self, before, again):
        took = self.last.at - before.at
        steps = {}
        for series, value in self.last.samples.items():
            grew = value - before.samples.get(series, 0)
            if is_counted(series):
                steps[series] = (grew if grew >= 0 else value) if again else 0
            else:
                # Ages are whole seconds.
                steps[series] = 60 if series in self.last.ages and grew >= 2 and abs(grew - took) < 1.5 else 0
        return steps

    def _write(self, samples):
        self.minutes.append({series: value + self.ahead.get(series, 0) for series, value in samples.items()})

    def series(self, wanted):
        """For promtool: the series whose metric is wanted, each with its values."""
        names = {series for minute in self.minutes for series in minute if series.split("{")[0] in wanted}
        return [{"series": name, "values": " ".join(self._values(name))} for name in sorted(names)]

    def _values(self, name):
        there = False
        for minute in self.minutes:
            if name in minute:
                yield f"{minute[name]:.10g}"
            else:
                # Prometheus forgets a series at once when its process does not answer.
                yield "stale" if there else "_"
            there = name in minute
