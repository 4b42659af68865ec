"""Draw the policies for the README: ``python docs/policies.py > docs/policies.svg``."""

import cyclr

ITERATIONS = 400
PANELS = {
    "Triangular": cyclr.Triangular(0.2, 1.0, 50),
    "Triangular2": cyclr.Triangular2(0.2, 1.0, 50),
    "ExpRange": cyclr.ExpRange(0.2, 1.0, 50, gamma=0.995),
    "CosineRestarts": cyclr.CosineRestarts(0.0, 1.0, 58, cycle_mult=2),
    "OneCycle": cyclr.OneCycle(1.0, ITERATIONS),
    "WarmupStableDecay": cyclr.WarmupStableDecay(1.0, ITERATIONS, 40, 120, shape="1-sqrt"),
}
WIDTH, HEIGHT, GAP, COLUMNS = 230, 90, 30, 3

STYLE = """
  text { font: 13px sans-serif; fill: #24292f }
  .lr { fill: none; stroke: #0969da; stroke-width: 2; stroke-linejoin: round }
  .axis { stroke: #8c959f; stroke-width: 1 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .lr { stroke: #58a6ff } }
"""


def panel(name: str, schedule: cyclr.Schedule, x: int, y: int) -> str:
    """Return one policy's curve with its name above."""
    points = " ".join(
        f"{x + i * WIDTH / ITERATIONS:.1f},{y + HEIGHT * (1 - schedule(i)):.1f}"
        for i in range(ITERATIONS + 1)
    )
    return (
        f'<text x="{x}" y="{y - 8}">{name}</text>'
        f'<line class="axis" x1="{x}" y1="{y + HEIGHT}" x2="{x + WIDTH}" y2="{y + HEIGHT}"/>'
        f'<polyline class="lr" points="{points}"/>'
    )


def picture() -> str:
    """Return all policies as SVG."""
    drawn = [
        panel(
            name,
            schedule,
            GAP + (k % COLUMNS) * (WIDTH + GAP),
            GAP + (k // COLUMNS) * (HEIGHT + GAP + 10),
        )
        for k, (name, schedule) in enumerate(PANELS.items())
    ]
    rows = -(-len(PANELS) // COLUMNS)
    size = f"{COLUMNS * (WIDTH + GAP) + GAP} {rows * (HEIGHT + GAP + 10) + GAP // 2}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
        "<title>Learning rate over iterations, for six policies</title>",
        f"<style>{STYLE}</style>",
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(picture())
