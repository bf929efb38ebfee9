"""Run the demo service: `python -m authserver.demo --issuer http://127.0.0.1:8000 --port 8001`."""

import argparse

import uvicorn

from authserver.demo.orders import create_app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    app = create_app(chosen.issuer, f"http://127.0.0.1:{chosen.port}")
    uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning", server_header=False)


if __name__ == "__main__":
    main()
