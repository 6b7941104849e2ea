"""Programs of user/bin, built for the host and compared with what Linux has."""
