# The instructor's verbs, read by ../Makefile.

# A folder or a zip of notebooks, for instance: make collect ASSIGNMENT=… SUBMISSIONS=~/Downloads/batch.zip
SUBMISSIONS ?=

.PHONY: assignments release collect grade

assignments: ## instructor: make the student versions, the fingerprints and the table of mistakes
	$(install) instructor
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m helpers.grading.release assignments $(ASSIGNMENT)

release: ## instructor: make build/cnn-course.zip, the course as students get it
	$(install) instructor
	@$(BIN)/python -m helpers.grading.release students

collect: ## instructor: take in notebooks: make collect ASSIGNMENT=NAME SUBMISSIONS=FOLDER
	$(install) instructor
	@$(BIN)/python -m helpers.grading.collect "$(ASSIGNMENT)" "$(SUBMISSIONS)"

grade: ## instructor: grade in sandboxes: make grade ASSIGNMENT=NAME SUBMISSIONS=FOLDER
	$(install) instructor
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m helpers.grading "$(ASSIGNMENT)" "$(SUBMISSIONS)" $(ARGS)
