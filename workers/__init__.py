"""What runs inside one worker process; imports nothing of the coordinator."""
