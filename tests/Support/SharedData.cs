namespace DataHub.Support;

/// <summary>Real data files kept beside the repository, in <c>../shared/data</c>.</summary>
internal static class SharedData
{
    /// <summary>Full path of a file, whether it is there or not; null where the repository's root was not found.</summary>
    public static string? PathOf(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "DataHub.sln")) && folder.Parent is { } above)
                return Path.Combine(above.FullName, "shared", "data", file);
        }

        return null;
    }

    public static bool Has(string file) => PathOf(file) is { } path && File.Exists(path);

    /// <exception cref="FileNotFoundException">The file is not there; in CI that fails the test instead of skipping it.</exception>
    public static byte[] Bytes(string file) => Has(file) ? File.ReadAllBytes(PathOf(file)!) : throw new FileNotFoundException($"../shared/data/{file} is missing", file);

    public static string Text(string file) => System.Text.Encoding.UTF8.GetString(Bytes(file)).TrimStart('\uFEFF');
}

/// <summary>A test that needs files of <c>../shared/data</c>: skipped where they are absent, but not in CI (<c>CI=true</c>), where they must be there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : Xunit.FactAttribute
{
    public SharedDataFactAttribute(params string[] files)
    {
        var missing = files.Where(f => !SharedData.Has(f)).ToArray();
        if (missing.Length > 0 && Environment.GetEnvironmentVariable("CI") != "true") Skip = $"../shared/data/{string.Join(", ", missing)} is not there";
    }
}
