"""Rebuilds the report.html of a run: python -m keras_gan.report RUN"""

from keras_gan import console
from keras_gan.report.page import write_report


def main(argv: list[str] | None = None) -> None:
    parser = console.Parser.of("keras_gan.report", "Rebuilds the report.html of a run.")
    parser.add_argument("run", metavar="RUN", help="the run's folder, such as runs/discogan-drawn_shoes-1")
    given = parser.parse_args(argv)
    with console.one_line_errors():
        print(write_report(given.run))


if __name__ == "__main__":
    main()
