"""Names of the synthetic organization's projects and people; all invented."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """A project: what it is called, when it began and ended (ISO dates) and how it works."""

    name: str
    created: str = "2025-09-02"
    weight: float = 1.0  # how much of the usage is its own
    accounts: tuple[str, ...] = ()
    archived: str = ""
    deleted: str = ""


PROJECTS: Final = (
    Plan("search", weight=3.0, accounts=("search-api", "search-indexer")),
    Plan("support-assistant", weight=3.0, accounts=("support-bot",)),
    Plan("billing-ocr", weight=1.5, accounts=("ocr-worker",)),
    Plan("Default project", weight=0.7),
    Plan("voice-agent", "2025-11-10", 1.5, ("voice-gateway",)),
    Plan("code-review", "2025-10-06", 2.0, ("review-bot", "ci-runner")),
    Plan("data-platform", weight=1.5, accounts=("nightly-enrichment",)),
    Plan("marketing-copy", "2025-12-01", 0.8),
    Plan("translation", "2025-10-20", 1.2, ("translate-worker",)),
    Plan("research-sandbox", weight=0.8),
    Plan("search", "2026-02-16", 1.2, ("search-next",)),
    Plan("onboarding", "2026-01-12", 0.6),
    Plan("fraud-signals", "2025-11-24", 1.0, ("fraud-scorer",)),
    Plan("contract-analysis", "2026-01-26", 0.9),
    Plan("mobile-app", "2025-09-15", 1.2, ("mobile-backend",)),
    Plan("internal-tools", weight=0.6),
    Plan("customer-insights", "2026-03-09", 0.8, ("insights-batch",)),
    Plan("catalog-enrichment", "2026-02-02", 1.0, ("catalog-batch",)),
    Plan("hackathon-2026", "2026-04-13", 0.5, deleted="2026-07-06"),
    Plan("chat-prototype", "2025-09-08", 0.8, deleted="2026-03-31"),
    Plan("legacy-summaries", "2025-09-08", 0.8, archived="2026-09-15"),
    Plan("evals & <red-team>", "2026-01-05", 0.9, ("eval-runner",)),
    Plan("Qualität – Prüfung", "2026-05-04", 0.5),
    Plan("sales-forecast", "2026-06-22", 0.7),
)

PEOPLE: Final = (
    ("Ada Lindqvist", "owner", ""),
    ("Marek Dvořák", "owner", ""),
    ("Priya Raman", "owner", ""),
    ("Tomás Ferreira", "reader", ""),
    ("Yuki Hanada", "reader", ""),
    ("Ngozi Adeyemi", "reader", ""),
    ("Lena Brandt", "reader", "2026-05-29"),
    ("Samir Haddad", "reader", ""),
    ("Chloé Marchetti", "reader", ""),
    ("Oskar Nyberg", "reader", ""),
    ("Iris Vandenberg", "reader", ""),
    ("Dmitri Volkonsky", "reader", ""),
    ("Amara Okonjo", "reader", ""),
    ("Wei Zhang", "reader", "2026-08-14"),
    ("Wei Zhang", "reader", ""),
    ("Hannah Goldfarb", "reader", ""),
    ("Jonas Keller", "reader", ""),
    ("Nameless Contractor", "reader", ""),
    ("Fatima Zahra Idrissi", "reader", ""),
    ("Liam O'Donnell", "reader", ""),
    ("Søren Kjær", "reader", "2026-11-06"),
    ("Beatriz Quiroga", "reader", ""),
    ("Rohan Kapoor", "reader", ""),
    ("Mei Tanaka", "reader", ""),
    ("Gustav Almroth", "reader", ""),
    ("Zofia Wiśniewska", "reader", ""),
    ("Kwame Mensah", "reader", ""),
    ("Elif Yıldız", "reader", ""),
    ("Noor van Dijk", "reader", ""),
    ("Pablo Echeverría", "reader", "2026-02-20"),
    ("Ingrid Solheim", "reader", ""),
    ("Arjun Nair", "reader", ""),
    ("Carla Benedetti", "reader", ""),
    ("Tariq Aziz-Khan", "reader", ""),
    ("Maya Rosenthal", "reader", ""),
    ("Viktor Petrov", "reader", ""),
    ("Sophie Lambert", "reader", ""),
    ("Daniel Okafor", "reader", ""),
    ("Hye-jin Park", "reader", ""),
    ("Theo Alexandridis", "reader", ""),
)
"""(name, role, date of deletion or "")."""
