"""Measurements over time: sunspots by year, carbon dioxide by week, weather by day."""

from importlib.resources import files

import numpy as np

from rnncourse.arrays import Array


def sunspots() -> tuple[Array, Array]:
    """Yearly mean sunspot numbers, 1700–2008.

    Returns (years, numbers): int (309,) and float64 (309,), a count of spots and groups, which has no unit.
    Source: National Geophysical Data Center, by way of statsmodels. Public domain.

    >>> years, numbers = sunspots()
    >>> int(years[numbers.argmax()]), float(numbers.max())
    (1957, 190.2)
    """
    years, numbers = _columns("sunspots.csv")
    return years.astype(int), numbers.astype(float)


def co2() -> tuple[Array, Array, Array]:
    """Carbon dioxide in the air of Mauna Loa, Hawaii, by week: March 1958 – December 2001.

    Returns (dates, ppm, measured): datetime64[D] (2284,), every Saturday; float64 (2284,), the week's mean in parts per
    million by volume, to one decimal; and bool (2284,). In 59 weeks, most of them in 1958 and 1964, nothing was
    measured: there `measured` is False, and `ppm` lies on the straight line between the nearest measurements.
    Use `measured` as a mask to leave those weeks out of a loss.
    Source: Keeling and Whorf 2004, Carbon Dioxide Information Analysis Center, by way of statsmodels. Public domain.

    >>> dates, ppm, measured = co2()
    >>> [str(date) for date in dates[5:8]], ppm[5:8].round(1), measured[5:8]
    (['1958-05-03', '1958-05-10', '1958-05-17'], array([316.9, 317.2, 317.5]), array([ True, False,  True]))
    """
    dates, ppm = _columns("co2.csv")
    measured = ppm != ""
    week = np.arange(len(ppm))
    return dates.astype("datetime64[D]"), np.interp(week, week[measured], ppm[measured].astype(float)), measured


def seattle_weather() -> tuple[Array, Array]:
    """The weather of Seattle by day, 2012–2015.

    Returns (dates, weather): datetime64[D] (1461,), every day, and float64 (1461, 4), whose columns are precipitation
    in mm, highest and lowest temperature in °C, and mean wind speed in m/s, each to one decimal.
    Source: National Oceanic and Atmospheric Administration, by way of vega-datasets. Public domain.

    >>> dates, weather = seattle_weather()
    >>> str(dates[1]), weather[1]
    ('2012-01-02', array([10.9, 10.6,  2.8,  4.5]))
    """
    dates, *weather = _columns("seattle_weather.csv")
    return dates.astype("datetime64[D]"), np.stack(weather, axis=1).astype(float)


def _columns(name: str) -> Array:
    """The columns below the header of one of this package's CSV files, as text."""
    with (files("rnncourse.data") / name).open(encoding="utf-8") as file:
        columns: Array = np.loadtxt(file, dtype=str, delimiter=",", skiprows=1, unpack=True)
    return columns
