"""The service: an API that reads pictures, a page to try it, and its health and figures."""
