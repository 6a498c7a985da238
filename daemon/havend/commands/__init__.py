"""What each command takes and whom it calls: words for people, a module a family, loaded when one of its commands is asked for."""
