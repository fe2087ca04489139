"""Makes the page of a run anew: python -m keras_gan.report RUN"""

from keras_gan import console
from keras_gan.report.page import write_report


def main(argv=None):
    parser = console.Parser.of("keras_gan.report", "Makes the page of a run anew.")
    parser.add_argument("run", metavar="RUN", help="the run's folder, such as runs/discogan-drawn_shoes-1")
    given = parser.parse_args(argv)
    with console.one_line_errors():
        print(write_report(given.run))


if __name__ == "__main__":
    main()
