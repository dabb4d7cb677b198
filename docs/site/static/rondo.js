/* A page that was opened as a file may not read other files, so its search shows titles without excerpts. */
if (location.protocol === "file:")
    addEventListener("DOMContentLoaded", () => { DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; });
