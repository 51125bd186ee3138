"""What Prometheus reads: the series of every process, as a test asks for them."""

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.http.stories import Service

Labels = tuple[tuple[str, str], ...]


async def scrape(service: Service) -> dict[tuple[str, Labels], float]:
    """Every series by its name and labels."""
    response = await service.browser().get(service.root("/metrics"))
    assert response.status_code == 200
    samples = [s for family in text_string_to_metric_families(response.text) for s in family.samples]
    series = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(series) == len(samples), "no series is there twice"
    return series


async def counted(service: Service, name: str) -> dict[tuple[str, ...], float]:
    """What a metric has counted in this process: the series that are not zero, by their labels' values."""
    found = {}
    for (series, labels), value in (await scrape(service)).items():
        if series == name and value:
            found[tuple(text for label, text in labels if label not in {"process", "le"})] = value
    return found
