"""The transport that speaks the protocol of /dev/fuse itself, and what makes its mount outlive its server."""
