"""The dashboard's pages, one module each: its address is in `atlas_web.urls`, its template in `templates/pages/`."""
