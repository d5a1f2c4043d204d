"""The dashboard's addresses."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from atlas_web import api
from atlas_web.pages import (
    account,
    alchemy,
    audit,
    benchmarks,
    curves,
    datasets,
    event,
    events,
    explanation,
    figures,
    health,
    home,
    leaderboard,
    log,
    matrix,
    models,
    predictions,
    queue,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("models/", models.ModelList.as_view(), name="models"),
    path("models/<int:pk>/", models.model, name="model"),
    path("benchmarks/", benchmarks.BenchmarkList.as_view(), name="benchmarks"),
    path("benchmarks/<int:pk>/", benchmarks.benchmark, name="benchmark"),
    path("benchmarks/<int:pk>/cancel/", benchmarks.cancel, name="cancel"),
    path("benchmarks/<int:pk>/again/", benchmarks.run_again, name="run-again"),
    path("queue/pause/", queue.pause, name="pause"),
    path("queue/resume/", queue.resume, name="resume"),
    path("benchmarks/<int:pk>/predictions/", predictions.predictions, name="predictions"),
    path("benchmarks/<int:pk>/curves/", curves.curves, name="curves"),
    path("benchmarks/<int:pk>/explanation/", explanation.explanation, name="explanation"),
    path("benchmarks/<int:pk>/explanation/values.csv", figures.values, name="values"),
    path("benchmarks/<int:pk>/explanation/<slug:name>/", figures.figure, name="figure"),
    path("benchmarks/<int:pk>/explanation/<slug:name>.<slug:kind>", figures.picture, name="picture"),
    path("benchmarks/<int:pk>/events/", events.events, name="events"),
    path("benchmarks/<int:pk>/events/<path:name>/", event.event, name="event"),
    path("benchmarks/<int:pk>/signals/<path:name>/", event.signals, name="signals"),
    path("datasets/", datasets.DatasetList.as_view(), name="datasets"),
    path("datasets/<str:name>/", datasets.dataset, name="dataset"),
    path("matrix/", matrix.matrix, name="matrix"),
    path("leaderboard/", leaderboard.leaderboard, name="leaderboard"),
    path("alchemy/", alchemy.alchemy, name="alchemy"),
    path("alchemy/evidence/", alchemy.evidence, name="alchemy-evidence"),
    path("alchemy.csv", alchemy.as_csv, name="alchemy-csv"),
    path("alchemy.json", alchemy.as_json, name="alchemy-json"),
    path("logs/", log.Log.as_view(), name="logs"),
    path("audit/", audit.audit, name="audit"),
    path("audit/actions.csv", audit.audit_csv, name="audit-csv"),
    path("account/", account.account, name="account"),
    path("account/password/", account.change_password, name="change-password"),
    path("account/tokens/", account.make_token, name="make-token"),
    path("account/tokens/<int:pk>/revoke/", account.revoke_token, name="revoke-token"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.health, name="healthz"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
handler403 = "atlas_web.pages.refused.refused"
