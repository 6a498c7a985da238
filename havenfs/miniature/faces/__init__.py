"""The miniature detector and recogniser of faces: drawn, trained, exported, quantised, measured."""
