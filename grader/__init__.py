"""The instructor's side: known mistakes, student versions, and what lies between a folder of
submissions and a gradebook. Not part of what students are given."""
