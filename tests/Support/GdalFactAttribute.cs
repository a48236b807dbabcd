namespace DataHub.Support;

/// <summary>A test that needs GDAL's <c>ogr2ogr</c> (Debian's gdal-bin): skipped without it, but not in CI (<c>CI=true</c>), where it must be there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GdalFactAttribute : Xunit.FactAttribute
{
    public GdalFactAttribute()
    {
        if (Ogr2Ogr is null && Environment.GetEnvironmentVariable("CI") != "true") Skip = "ogr2ogr is not installed (apt-get install gdal-bin)";
    }

    /// <summary>Path of the program; null where there is none.</summary>
    public static string? Ogr2Ogr { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin").Select(folder => Path.Combine(folder, "ogr2ogr")).FirstOrDefault(File.Exists);
}
