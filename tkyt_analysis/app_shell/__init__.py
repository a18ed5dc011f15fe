"""What the apps with a page of their own share (a page that people type into, in JupyterLab and under Voilà).

app          the widget: events come in, one state goes out, errors become sentences
page, .js    the page around an app's own parts: head, tabs, language, sentence; the script that carries events and states
log          the log file of all apps
windows      sealed files of open windows: what a person did is safe on disk before anything else happens
"""
