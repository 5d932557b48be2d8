"""Where nbgrader finds the course: sources in solutions/, student versions in assignments/, and
everything that comes from students under grading/, which git ignores."""

from pathlib import Path

c = get_config()  # noqa: F821

root = Path(__file__).resolve().parent
(root / "grading").mkdir(exist_ok=True)

c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "cnn-course"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.solution_directory = "grading/solution"
c.CourseDirectory.db_url = f"sqlite:///{root / 'grading' / 'gradebook.db'}"
# The bank of known mistakes goes neither to students nor beside their notebooks.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc*", "__pycache__", "feedback", "bank"]

c.ClearSolutions.code_stub = {
    "python": "# Write your code here, and delete the next line.\nraise NotImplementedError"
}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# What students wrote runs in the sandbox, from the command line and from formgrader alike. It is
# rebuilt from the file that was handed in, so that nothing needs to be repaired before.
c.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.ClearOutput"]
c.Autograde.autograde_preprocessors = [
    "grader.gradebook.nbgrader_execute.SandboxExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# A page is written again: marks and comments may have been given since.
c.GenerateFeedback.force = True
c.GenerateFeedback.exporter_class = "grader.gradebook.feedback.Pages"
# The feedback shows no hidden tests and no mark schemes.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "grader.gradebook.hidden.HideHiddenTests",
]
# Formgrader shows students' cells on a page that may do all that JupyterLab may: no scripts there.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "grader.gradebook.safe_html.markdown2html",
    "clean_html": "grader.gradebook.safe_html.clean_html",
}

# Names that students have chosen are no formulas in the table.
c.ExportApp.plugin_class = "grader.gradebook.export.SafeCsv"

# `nbgrader zip_collect` knows the names that learning platforms give to files, and the class list.
c.ZipCollectApp.extractor_plugin = "grader.gradebook.zip_collect.Extract"
c.ZipCollectApp.collector_plugin = "grader.gradebook.zip_collect.Collect"

# Who handed in without the exchange stops nobody else's page.
c.ExchangeFactory.release_feedback = "grader.gradebook.exchange.ReleaseFeedback"

# A cell may take two minutes; then it is interrupted, and the rest is still graded.
c.Execute.timeout = 120
c.Execute.interrupt_on_timeout = True
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--log-level=ERROR"]
