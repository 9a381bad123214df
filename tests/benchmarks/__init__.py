"""The farm beside a plain loop and a thread pool, in one run on one machine."""
