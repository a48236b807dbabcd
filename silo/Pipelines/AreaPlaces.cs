using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>The area systems that rows are resolved with when they are pushed.</summary>
internal sealed class AreaPlaces(AreaDirectory areas) : IAreaPlaces
{
    public async Task<IAreaVersion?> OpenAsync(string system, int version, CancellationToken cancellationToken) =>
        await areas.GetAsync(system, version, cancellationToken) is { } index ? new Indexed(index) : null;

    private sealed class Indexed(AreaIndex index) : IAreaVersion
    {
        public bool HasGeometry => index.HasGeometry;

        public string? At(double longitude, double latitude, int? level) => index.Locate(longitude, latitude) is { } found ? Of(found, level) : null;

        public string? Of(string id, int? level) =>
            level is { } wanted ? index.Tree.AncestorAt(id, wanted) : index.Tree.TryGet(id, out var area) ? area.Id : null;
    }
}
