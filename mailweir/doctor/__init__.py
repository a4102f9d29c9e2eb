"""What is wrong with a project on this machine, and with its way to the mail servers."""
