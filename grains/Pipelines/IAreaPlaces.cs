namespace DataHub.Pipelines;

/// <summary>Says which area a point or an id belongs to, by the very index that decides for rows that are pushed.</summary>
internal interface IAreaPlaces
{
    /// <returns>One version of an area system; null where it is not there (any more).</returns>
    Task<IAreaVersion?> OpenAsync(string system, int version, CancellationToken cancellationToken);
}

/// <summary>One version of an area system.</summary>
internal interface IAreaVersion
{
    /// <summary>Whether any area has a polygon.</summary>
    bool HasGeometry { get; }

    /// <summary>The area that has a point.</summary>
    /// <param name="longitude">WGS 84, degrees.</param>
    /// <param name="latitude">WGS 84, degrees.</param>
    /// <param name="level">Null: the finest that has the point.</param>
    /// <returns>Null where no area of the level has it.</returns>
    string? At(double longitude, double latitude, int? level);

    /// <summary>The area of an id, or the one above it at a level.</summary>
    /// <param name="level">Null: the area itself.</param>
    /// <returns>Null where there is none.</returns>
    string? Of(string id, int? level);
}
