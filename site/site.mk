# The web site's verbs, read by ../Makefile. Its environment, .venv-site, is made by tools/site.py.

.PHONY: site site-serve

site: ## build the web site into build/site, and check its links and the workflows
	@$(PYTHON) tools/site.py lint
	@$(PYTHON) tools/site.py build

site-serve: ## show build/site in your browser, on a free port of this machine
	@$(PYTHON) tools/site.py serve $(ARGS)
