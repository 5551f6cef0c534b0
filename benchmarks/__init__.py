"""Commands that measure the app on this machine. They print figures and assert nothing."""
