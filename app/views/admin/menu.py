"""Registers every grid, children before parents, and the 数据 page that leads to them."""

from __future__ import annotations

from flask import Flask, abort
from flask_appbuilder import AppBuilder
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.menu import Menu

from app.extensions import db
from app.views.admin.base import SafeModelView
from app.views.admin.builder import build_view
from app.views.admin.core import all_grids
from app.views.admin.index import blueprint
from app.views.admin.spec import Grid
from app.views.api.resource import TableApi
from app.views.security import Manager


class NoPage(BaseView):
    """Flask-AppBuilder wants an index view; ours is the portal, so this one has no route."""

    route_base = ""
    default_view = "index"

    @expose("/admin/index")
    def index(self) -> None:
        """Never reached: the 数据 page is /admin/."""
        abort(404)


class Builder(AppBuilder):
    """Flask-AppBuilder without its own index, utility, language and menu pages."""

    def _add_admin_views(self) -> None:
        self.indexview = self._check_and_init(NoPage)
        self.add_view_no_menu(self.indexview)
        self.sm.register_views()


def init_grids(app: Flask) -> None:
    """Bind Flask-AppBuilder (one object per application) and register the grids."""
    appbuilder = Builder(security_manager_class=Manager, menu=Menu(), indexview=NoPage)
    with app.app_context():
        appbuilder.init_app(app, db.session)
        grids = all_grids()
        app.extensions["grids"] = grids
        views: dict[str, type[SafeModelView]] = {}
        for grid in _children_first(grids):
            related = [views[g.name] for g in grids if g.parent == grid.name]
            views[grid.name] = build_view(grid, related)
            appbuilder.add_view_no_menu(views[grid.name])
        appbuilder.add_api(TableApi)
    app.register_blueprint(blueprint)


def _children_first(grids: list[Grid]) -> list[Grid]:
    """Parents after their child tables, because a view names its related ones."""
    ordered: list[Grid] = []

    def place(grid: Grid) -> None:
        for child in grids:
            if child.parent == grid.name:
                place(child)
        ordered.append(grid)

    for grid in grids:
        if grid.parent is None:
            place(grid)
    return ordered
