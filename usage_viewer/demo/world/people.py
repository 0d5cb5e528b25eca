"""The invented names of the projects and users of the synthetic organization."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProjectPlan:
    """The definition of a project; dates are ISO dates, "" for none."""

    name: str
    created: str = "2025-09-02"
    weight: float = 1.0  # weight of the project in the random choice
    accounts: tuple[str, ...] = ()  # names of its service accounts
    archived: str = ""
    deleted: str = ""


PROJECTS: Final = (
    ProjectPlan("search", weight=3.0, accounts=("search-api", "search-indexer")),
    ProjectPlan("support-assistant", weight=3.0, accounts=("support-bot",)),
    ProjectPlan("billing-ocr", weight=1.5, accounts=("ocr-worker",)),
    ProjectPlan("Default project", weight=0.7),
    ProjectPlan("voice-agent", "2025-11-10", 1.5, ("voice-gateway",)),
    ProjectPlan("code-review", "2025-10-06", 2.0, ("review-bot", "ci-runner")),
    ProjectPlan("data-platform", weight=1.5, accounts=("nightly-enrichment",)),
    ProjectPlan("marketing-copy", "2025-12-01", 0.8),
    ProjectPlan("translation", "2025-10-20", 1.2, ("translate-worker",)),
    ProjectPlan("research-sandbox", weight=0.8),
    ProjectPlan("search", "2026-02-16", 1.2, ("search-next",)),
    ProjectPlan("onboarding", "2026-01-12", 0.6),
    ProjectPlan("fraud-signals", "2025-11-24", 1.0, ("fraud-scorer",)),
    ProjectPlan("contract-analysis", "2026-01-26", 0.9),
    ProjectPlan("mobile-app", "2025-09-15", 1.2, ("mobile-backend",)),
    ProjectPlan("internal-tools", weight=0.6),
    ProjectPlan("customer-insights", "2026-03-09", 0.8, ("insights-batch",)),
    ProjectPlan("catalog-enrichment", "2026-02-02", 1.0, ("catalog-batch",)),
    ProjectPlan("hackathon-2026", "2026-04-13", 0.5, deleted="2026-07-06"),
    ProjectPlan("chat-prototype", "2025-09-08", 0.8, deleted="2026-03-31"),
    ProjectPlan("legacy-summaries", "2025-09-08", 0.8, archived="2026-09-15"),
    ProjectPlan("evals & <red-team>", "2026-01-05", 0.9, ("eval-runner",)),
    ProjectPlan("Qualität – Prüfung", "2026-05-04", 0.5),
    ProjectPlan("sales-forecast", "2026-06-22", 0.7),
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
